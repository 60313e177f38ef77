#!/usr/bin/env python3
"""Makes weak_key_vectors.h: public keys that look sound and are not, by arithmetic that shares nothing with the product.

    python3 make_weak_keys.py >weak_key_vectors.h

ROCA keys are made as the flawed library made them (Nemec et al., "The Return of Coppersmith's Attack", 2017): each prime
is k * M + (65537^a mod M), M the product of the first 126 primes for a modulus of 2048 bits.
"""
import random
import subprocess
import textwrap

RANDOM = random.Random(2017)
CURVES = {
    "P256": (2**256 - 2**224 + 2**192 + 2**96 - 1, -3,
             0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
             0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5),
    "P384": (2**384 - 2**128 - 2**96 + 2**32 - 1, -3,
             0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
             0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f),
}
PREFIX = {"P256": "3059301306072a8648ce3d020106082a8648ce3d030107034200",
          "P384": "3076301006072a8648ce3d020106052b81040022036200"}


def is_prime(number):
    small = (2, 3, 5, 7, 11, 13)
    if number <= 13 or any(number % each == 0 for each in small):
        return number in small
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(24):
        power = pow(RANDOM.randrange(2, number - 1), odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def prime(bits):
    while True:
        number = RANDOM.getrandbits(bits) | 3 << (bits - 2) | 1
        if is_prime(number):
            return number


def next_prime(number):
    number += 1 + number % 2
    while not is_prime(number):
        number += 2
    return number


def roca_prime(bits):
    primes = [number for number in range(2, 720) if is_prime(number)][:126]
    product = 1
    for each in primes:
        product *= each
    while True:
        k = RANDOM.getrandbits(bits - product.bit_length())
        number = k * product + pow(65537, RANDOM.getrandbits(254), product)
        if number.bit_length() == bits and number >> (bits - 2) == 3 and is_prime(number):
            return number


def der(tag, content):
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else bytes([0x82, size >> 8, size & 255])
    return bytes([tag]) + length + content


def integer(number):
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def rsa(modulus, exponent=65537):
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return der(0x30, algorithm + der(3, b"\0" + der(0x30, integer(modulus) + integer(exponent))))


def add(curve, one, two):
    p, a = CURVES[curve][:2]
    slope = ((3 * one[0] ** 2 + a) * pow(2 * one[1], -1, p) if one == two else (two[1] - one[1]) * pow(two[0] - one[0], -1, p)) % p
    x = (slope ** 2 - one[0] - two[0]) % p
    return x, (slope * (one[0] - x) - one[1]) % p


def point(curve, x, y):
    size = (CURVES[curve][0].bit_length() + 7) // 8
    return bytes.fromhex(PREFIX[curve]) + b"\4" + x.to_bytes(size, "big") + y.to_bytes(size, "big")


def multiple(curve, factor, negated=False):
    p, _, *base = CURVES[curve]
    here = tuple(base)
    for _ in range(factor - 1):
        here = add(curve, here, tuple(base))
    return point(curve, here[0], p - here[1] if negated else here[1])


def vectors():
    sound = prime(1024) * prime(1024)
    yield "kSoundRsa", "two random primes of 1024 bits", rsa(sound)
    yield "kRocaRsa", "the flaw of CVE-2017-15361, 2048 bits", rsa(roca_prime(1024) * roca_prime(1024))
    yield "kSmallFactorRsa", "751 is a factor, the largest prime that is looked for", rsa(751 * prime(2038))
    yield "kUnseenFactorRsa", "757 is a factor, the first prime that is not", rsa(757 * prime(2038))
    first = prime(1024)
    yield "kClosePrimesRsa", "a prime and the next one", rsa(first * next_prime(first))
    # Fermat's method needs about (p - q)^2 / (8 sqrt(n)) rounds: 100 here are reached at about 2^517.
    yield "kFarPrimesRsa", "primes 2^530 apart, beyond 100 rounds", rsa(first * next_prime(first + 2**530))
    yield "kSquareRsa", "a square", rsa(first * first)
    yield "kExponent1Rsa", "the public exponent 1", rsa(sound, 1)
    yield "kExponent3Rsa", "the public exponent 3", rsa(sound, 3)
    yield "kEvenExponentRsa", "an even public exponent", rsa(sound, 65538)
    yield "kEvenRsa", "an even modulus", rsa(sound + 1)
    for curve in CURVES:
        for factor in (1, 2, 3):
            yield f"k{curve}Of{factor}", f"the private key {factor}", multiple(curve, factor)
        yield f"k{curve}OfMinus1", "the private key n - 1", multiple(curve, 1, True)
        yield f"k{curve}Of4", "the private key 4, which nobody looks for", multiple(curve, 4)
        x, y = CURVES[curve][2:]
        yield f"k{curve}OffCurve", "the generator's y + 1", point(curve, x, y + 1)


def main():
    print("// Made by make_weak_keys.py, which says how: SubjectPublicKeyInfo in hexadecimal.")
    print("#ifndef TESTS_UNIT_X509_WEAK_KEY_VECTORS_H_\n#define TESTS_UNIT_X509_WEAK_KEY_VECTORS_H_\n")
    print("#include <string_view>\n\nnamespace weak_keys {\n")
    for name, what, spki in vectors():
        # openssl reads each of them, so that what is refused is refused for what it is.
        good = subprocess.run(["openssl", "asn1parse", "-inform", "DER"], input=spki, capture_output=True, check=False)
        assert good.returncode == 0, name
        lines = "\n".join(f'    "{line}"' for line in textwrap.wrap(spki.hex(), 112))
        print(f"// {what}\ninline constexpr std::string_view {name} =\n{lines};")
    print("\n}  // namespace weak_keys\n\n#endif  // TESTS_UNIT_X509_WEAK_KEY_VECTORS_H_")


if __name__ == "__main__":
    main()
