"""Judges documents by a JSON Schema with a program that is not ours.

usage: judge.py SCHEMA DOCUMENTS
DOCUMENTS holds one JSON document a line; one letter a line is printed:
a(ccepted) or r(efused). Exit 77 when python3-jsonschema is not installed.
"""
import json
import sys

try:
    import jsonschema
except ImportError:
    sys.exit(77)

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
with open(sys.argv[2], encoding="utf-8") as file:
    for line in file:
        print("a" if validator.is_valid(json.loads(line)) else "r")
