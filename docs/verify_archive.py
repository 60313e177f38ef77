#!/usr/bin/env python3
"""The verdict on an archive (record-format.md, sections 1 and 7): every record as verify_rules.py judges it, keys and their copies
followed from one to the next, custodians who come and go, and the chain in which no record can be missing.
usage: verify_archive.py ARCHIVE [ROSTER]     ROSTER: of the first record     exit: as verify.py, 3 no archive"""
import copy, json, os, re, sys

import verify_rules
from verify_bytes import need
from verify_machine import EXITS, main

FOLDER = re.compile("([0-9]{4}|[1-9][0-9]{4,8})-(.+)", re.DOTALL)

def records(archive):
    """Number, ceremony and name of each record's folder, in order."""
    folders = sorted(each.name for each in os.scandir(archive) if each.is_dir(follow_symlinks=False))
    named = [(FOLDER.fullmatch(name), name) for name in folders]
    return sorted([(int(match[1]), match[2], name) for match, name in named if match], key=lambda record: record[0])

def handed_on(written, roster):
    """The roster of the next record: the one that the people of this one approved and wrote, when it is of the same estate."""
    try: return written if verify_rules.trusted(written)[0] == verify_rules.trusted(roster)[0] else roster
    except (ValueError, LookupError, TypeError, RecursionError): return roster

def verify(archive, roster=None):
    verdicts, book, trust, before, origins, others, head = [], verify_rules.Keys(), roster, None, set(), [], None
    for place, (number, ceremony, name) in enumerate(records(archive)):
        need(number == place + 1, f"{name} stands where number {place + 1} is expected")
        folder, facts, keys = os.path.join(archive, name), {}, copy.deepcopy(book)
        verdict, why = verify_rules.verdict(folder, trust, None, keys, facts)
        if trust is roster and "COMPLETE" not in verdicts and "policy is not the roster's" in why:
            # The reader's roster may be of later people, who vouch for this record by naming its last checkpoint.
            others.append(name)
            keys = copy.deepcopy(book)
            verdict, why = verify_rules.verdict(folder, None, None, keys, facts)
        need(verdict != "INVALID", f"{name}: {why}")
        need(facts.get("ceremony", ceremony) == ceremony, f"{name} is of another ceremony")
        if "origin" in facts:
            need(facts["origin"] not in origins and facts["previous"] == before, f"{name} does not follow the record before it")
            origins.add(facts["origin"])
            need(facts["left_behind"] in (None, head), f"what {name} left behind is not the record before it")
            head = facts["head"]
        if trust and verdict == "COMPLETE" and "roster" in facts: trust = handed_on(facts["roster"], trust)
        before, book = facts.get("last") or before, keys
        verdicts.append(verdict)
    need(not others or "COMPLETE" in verdicts, f"the policy of {others[:1]} is not the roster's")
    return max(verdicts, key=[*EXITS].index)

def verdict(archive, roster=None):
    if not records(archive): sys.exit(print(f"{archive} holds no record: no folder is named NNNN-<ceremony id>") or 3)
    try: return verify(archive, roster), ""
    except ValueError as error: return "INVALID", str(error)
if __name__ == "__main__": main(verdict)
