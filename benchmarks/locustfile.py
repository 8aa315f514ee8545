"""Load as clinics make it: every user posts one image to /predict/ and looks at the answer for 1 to 3 seconds.

locust -f benchmarks/locustfile.py --host http://127.0.0.1:8000 --headless --users 50 --spawn-rate 10 --run-time 30s
"""

import os
from pathlib import Path

from locust import HttpUser, between, task

PICTURE = Path(os.environ.get("PICTURE", "data/demo/lesions/images/img_0001.jpg"))


class User(HttpUser):
    """Somebody with an image."""

    wait_time = between(1, 3)

    def on_start(self) -> None:
        self.image = PICTURE.read_bytes()

    @task
    def predict(self) -> None:
        self.client.post("/predict/", files={"file": (PICTURE.name, self.image, "image/jpeg")})
