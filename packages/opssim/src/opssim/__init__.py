"""The APIs of Rootly, Roost.ai and Automation Anywhere A360, simulated on loopback."""
