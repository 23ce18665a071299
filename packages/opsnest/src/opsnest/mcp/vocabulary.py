"""What a query may be made of. Whatever is not named here is refused.

Left out on purpose: all that reads files, settings, the environment or other queries; what makes
long texts out of short ones (`repeat`, `lpad`); and what turns a text around or encodes it, which
would carry a secret past the mask.
"""

from __future__ import annotations

from typing import Final

__all__ = ["FUNCTIONS", "NODES", "TABLE_FUNCTIONS"]

#: The parts of statements that sqlglot knows, functions aside, by the names of its classes.
_PARTS: Final = (
    # statements and their clauses
    "Select Union Intersect Except Subquery CTE With From Join Where Group Having Qualify Order "
    "Ordered Limit Offset Fetch LimitOptions Distinct Window WindowSpec Cube Rollup GroupingSets "
    "Values Tuple Lateral "
    # names and values
    "Table TableAlias Column Identifier Alias Star Var Literal RawString Null Boolean Paren "
    "DataType DataTypeParam Interval National Bracket Slice Dot PropertyEQ Lambda Kwarg "
    # operators
    "Add Sub Mul Div IntDiv Mod Neg Not EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ Is In Like "
    "ILike SimilarTo Escape Between Any All BitwiseAnd BitwiseOr BitwiseXor BitwiseNot DPipe "
    "AtTimeZone Overlaps Glob Filter WithinGroup IgnoreNulls RespectNulls "
    # paths into JSON
    "JSONPath JSONPathRoot JSONPathKey JSONPathSubscript JSONPathWildcard JSONPathSlice "
    "JSONPathRecursive JSONPathUnion JSONPathPart JSONPathSelector"
)
NODES: Final = frozenset(_PARTS.split())

#: Functions by the names of sqlglot's classes, or by their own names where it has no class.
_NAMES: Final = (
    # logic
    "And Or Xor Case If Coalesce Nullif Exists Cast TryCast Greatest Least Typeof "
    # aggregates
    "Count CountIf Sum Avg Min Max Median Mode AnyValue First Last ArgMax ArgMin Stddev StddevPop "
    "StddevSamp Variance VariancePop Corr CovarPop CovarSamp Skewness Kurtosis Quantile "
    "ApproxQuantile ApproxDistinct PercentileCont PercentileDisc LogicalAnd LogicalOr ArrayAgg "
    "GroupConcat Grouping Hll mad entropy product histogram regr_slope regr_intercept regr_r2 "
    "RegrSlope RegrIntercept RegrR2 bool_and bool_or "
    # windows
    "RowNumber Rank DenseRank PercentRank CumeDist Ntile Lag Lead FirstValue LastValue NthValue "
    # numbers
    "Abs Ceil Floor Round Trunc Sign Sqrt Cbrt Pow Exp Ln Log Pi Degrees Radians Sin Cos Tan Asin "
    "Acos Atan Atan2 IsNan IsInf WidthBucket Factorial mod even "
    # texts
    "Lower Upper Initcap Length Trim Substring Left Right Replace Concat ConcatWs SplitPart Split "
    "StringToArray StartsWith EndsWith Contains StrPosition RegexpLike RegexpILike RegexpExtract "
    "RegexpExtractAll RegexpReplace RegexpSplit RegexpFullMatch RegexpCount Levenshtein Ascii "
    "prefix suffix instr damerau_levenshtein jaccard JarowinklerSimilarity "
    # times
    "CurrentDate CurrentTimestamp CurrentTime Localtimestamp Extract DateTrunc TimestampTrunc "
    "DateDiff DateAdd DateSub DateBin TimestampDiff TimestampAdd TimestampSub TimestampFromParts "
    "DateFromParts TimeFromParts MakeInterval Date Time Timestamp TsOrDsToDate TsOrDsToTimestamp "
    "Year Quarter Month Week Day Hour Minute Second DayOfWeek DayOfWeekIso DayOfMonth DayOfYear "
    "WeekOfYear YearOfWeek YearOfWeekIso Dayname Monthname LastDay TimeToStr StrToTime StrToDate "
    "ToChar UnixToTime TimeToUnix UnixSeconds UnixMillis UnixMicros date_sub datesub age epoch "
    "epoch_ms time_bucket isodow JustifyInterval JustifyDays JustifyHours to_seconds to_minutes "
    "to_hours to_days century decade now today "
    # JSON, lists and structs
    "JSONExtract JSONExtractScalar JSONBExtract JSONBExtractScalar JSONArrayContains JSONKeys "
    "JSONType JSONBContains JSONExtractArray JSONExists json_extract_string json_array_length "
    "json_valid json_keys json_type json_exists jsonb_array_length jsonb_typeof json_typeof "
    "json_contains Array Struct StructExtract ArraySize ArrayContains ArrayContainsAll "
    "ArrayOverlaps ArrayDistinct ArraySort SortArray ArraySum ArrayMax ArrayMin ArrayFilter "
    "ArrayToString ArrayPosition ArrayFirst ArrayLast ArraySlice Transform Map MapKeys MapSize "
    "list_avg list_count list_unique cardinality Columns "
    # rows out of lists
    "Unnest Explode GenerateSeries"
)
FUNCTIONS: Final = frozenset(_NAMES.split())

#: Functions that may stand where a table may.
TABLE_FUNCTIONS: Final = frozenset({"Unnest", "GenerateSeries"})
