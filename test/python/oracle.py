"""Answers, line by line, how Python itself reads something: base64, JSON or a YAML file."""

import base64
import json
import sys

for line in sys.stdin:
    question = json.loads(line)
    try:
        if question["what"] == "base64":
            answer = base64.b64decode(question["text"]).hex()
        elif question["what"] == "json":
            answer = json.dumps(json.loads(question["text"]))
        else:
            import yaml
            with open(question["file"], encoding="utf-8") as file:
                clients = yaml.safe_load(file)
            answer = [[repr(key) if not isinstance(key, str) else key, value["status"], type(value["last_seen"]).__name__] for key, value in clients.items()]
    except Exception as error:
        answer = None
        print(type(error).__name__, error, file=sys.stderr)
    print(json.dumps({"answer": answer}), flush=True)
