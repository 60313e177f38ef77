#!/usr/bin/env python3
"""Shamir against an implementation that shares no idea with ours: exponents of the generator 3 instead of
shift-and-add, one linear system instead of Lagrange's formula. What one splits the other combines."""
import random
import subprocess
import unittest

# GF(2^8) by powers of 3, which generates all 255 elements of AES's field.
POWER = [1]
for _ in range(254):
    doubled = POWER[-1] << 1
    POWER.append(POWER[-1] ^ (doubled ^ 0x11B if doubled & 0x100 else doubled))
EXPONENT = {value: index for index, value in enumerate(POWER)}


def times(a, b):
    return POWER[(EXPONENT[a] + EXPONENT[b]) % 255] if a and b else 0


def over(a, b):
    return POWER[(EXPONENT[a] - EXPONENT[b]) % 255] if a else 0


def power(a, k):
    return POWER[EXPONENT[a] * k % 255] if k else 1


def split(secret, m, n, chance):
    shares = {x: bytearray() for x in chance.sample(range(1, 256), n)}
    for byte in secret:
        polynomial = [byte] + [chance.randrange(256) for _ in range(m - 1)]
        for x, share in shares.items():
            value = 0
            for k, coefficient in enumerate(polynomial):
                value ^= times(coefficient, power(x, k))
            share.append(value)
    return {x: bytes(share) for x, share in shares.items()}


def combine(shares):
    """Solves sum(c[k] * x^k) = y for c by Gauss; c[0] is the secret."""
    xs = list(shares)
    size = len(xs)
    rows = [[power(x, k) for k in range(size)] + list(shares[x]) for x in xs]
    for column in range(size):
        pivot = next(row for row in range(column, size) if rows[row][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [over(value, rows[column][column]) for value in rows[column]]
        for row in range(size):
            factor = rows[row][column]
            if row != column and factor:
                rows[row] = [value ^ times(factor, own) for value, own in zip(rows[row], rows[column])]
    return bytes(rows[0][size:])


def ask(*lines):
    done = subprocess.run(["share_probe"], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def spell(shares):
    return " ".join(f"{x}:{share.hex()}" for x, share in shares.items())


def read(line):
    return {int(x): bytes.fromhex(share) for x, share in (word.split(":") for word in line.split())}


def secret_for(m, chance):
    # Gauss takes a while for the large ones.
    return bytes(chance.randrange(256) for _ in range(chance.randrange(1, 40 if m < 100 else 4)))


SHAPES = [(1, 1), (1, 5), (2, 2), (2, 3), (3, 5), (5, 9), (7, 7), (16, 16), (20, 40), (2, 255), (128, 255), (255, 255)]


class Against(unittest.TestCase):
    def test_the_field_is_whole(self):
        self.assertEqual(sorted(POWER), list(range(1, 256)))

    def test_this_side_combines_what_ours_split(self):
        chance = random.Random(20261121)
        secrets = [secret_for(m, chance) for m, _ in SHAPES]
        answers = ask(*(f"split {m} {n} {secret.hex()}" for (m, n), secret in zip(SHAPES, secrets)))
        for (m, n), secret, answer in zip(SHAPES, secrets, answers):
            shares = read(answer)
            self.assertEqual(sorted(shares), list(range(1, n + 1)))
            for _ in range(1 if m > 100 else 10):
                chosen = chance.sample(sorted(shares), m)
                self.assertEqual(combine({x: shares[x] for x in chosen}), secret, (m, n, chosen))

    def test_ours_combines_what_this_side_split(self):
        chance = random.Random(31)
        lines, secrets = [], []
        for m, n in SHAPES:
            for _ in range(1 if m > 100 else 4):
                secret = secret_for(m, chance)
                shares = split(secret, m, n, chance)
                chosen = chance.sample(sorted(shares), m)
                lines.append("combine " + spell({x: shares[x] for x in chosen}))
                secrets.append(secret.hex())
        self.assertEqual(ask(*lines), secrets)

    def test_one_share_too_few_fits_every_secret(self):
        """For 2 of 3 and one byte: whatever the secret, one share can have any value; so it says nothing."""
        shares = read(ask("split 2 3 41")[0])
        one = {1: shares[1]}
        reached = {combine({**one, 2: bytes([other])}) for other in range(256)}
        self.assertEqual(len(reached), 256)

    def test_shares_of_one_secret_differ_from_split_to_split(self):
        first, second = ask("split 3 5 " + "00" * 16, "split 3 5 " + "00" * 16)
        self.assertNotEqual(first, second)

    def test_what_cannot_be_is_refused_by_its_rule(self):
        self.assertEqual(ask("split 3 256 41", "split 6 5 41", "split 0 5 41", "split 1 0 41", "combine 0:41",
                             "combine 1:41 1:42", "combine 1:41 2:4243", "combine"),
                         ["! SHARE-SPLIT-01"] * 4 + ["! SHARE-COMBINE-01"] * 2 + ["! SHARE-COMBINE-02", "! SHARE-COMBINE-01"])


if __name__ == "__main__":
    unittest.main()
