"""Holds the Kubernetes manifest and the compose file of the arguments against the schemas of those who read them."""

import sys

import compose_spec
import kubernetes_validate
import yaml

manifests, compose = sys.argv[1:]
with open(manifests, encoding="utf-8") as file:
    for manifest in yaml.safe_load_all(file):
        for version in ("1.29", "1.33"):
            kubernetes_validate.validate(manifest, version, strict=True)
with open(compose, encoding="utf-8") as file:
    text = file.read()
services = compose_spec.PyCompose.from_yaml(text)
print(len(services), "service")
