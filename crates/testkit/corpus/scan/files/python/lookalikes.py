"""Nothing here calls a model that goes away."""
import re
import requests

o3 = 3 * "o"
o1, o3, o4 = 1, 2, 3
GPT4 = "partition table"
PRICES = {
    "gpt-4o": (2.50, 10.00),
    "gpt-4.1-mini": (0.40, 1.60),
    "claude-3-5-sonnet-20241022": (3.00, 15.00),
}
CONTEXT = {"gpt-4": 8192, "o1-mini": 128000}
RENAMED = {"gpt-4-32k": "gpt-5.6-sol", "claude-instant-1.2": "claude-haiku-5-5"}
DOCS = "https://platform.openai.com/docs/models/gpt-4o"
CARD = "https://huggingface.co/openai/whisper-1"
LOGO = "/static/img/gpt-4o.png"
NEWER = "gpt-4o-ours-v2"
LONGER = "my-gpt-4o"
CHEMICAL = "o3d"
GRAPH = "Open3D o3 viewer"
OZONE = {"pollutant": "o3", "unit": "µg/m³"}
car = {"make": "Tesla", "model": "model-3", "year": 2023}
engine = {"model": "O3", "cylinders": 4}
pattern = re.compile(r"^(gpt-4|gpt-3.5-turbo|o1).*$")
print("Powered by gpt-4o, once. Write to gpt-4o@example.com.")
commit = "deadbeefo3cafe"
requests.get("https://air.example.com/v1/readings", params={"species": "o3"})


class GPT4:
    """Formerly text-davinci-003."""

    model_o3 = None

    def temperature(self, model="gfs", temperature=0.2):
        return self.temperature(model="icon", temperature=281.5)
