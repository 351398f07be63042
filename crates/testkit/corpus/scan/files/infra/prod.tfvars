chat_model = "gpt-4-turbo"
pool       = "o3"
allowed    = ["gpt-4o", "gpt-4"]
