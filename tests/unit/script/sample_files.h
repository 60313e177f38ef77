// Files that are right; tests change one thing of them. Keys were made by
// `openssl genpkey`, their private halves thrown away.
#ifndef TESTS_UNIT_SCRIPT_SAMPLE_FILES_H_
#define TESTS_UNIT_SCRIPT_SAMPLE_FILES_H_

inline constexpr const char* kP256KeyA =
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf5d3hZkcOia4Fl/hg/DeWYAiERqgzB0dJnf3u4wQWKwOb9ge/"
    "RhnwtJtxL8n2ANu41lmhWzixDL7Ki06VBgcVQ==";
inline constexpr const char* kP256KeyB =
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIJRsjpmbqrUDbutMYrHG86KiZXh+ohtOxWf5u5Io+cX4GfYHODa97iQ+0DVgFi2lmd9HJyA0/"
    "1gQp1WyFnw38Q==";
inline constexpr const char* kP256KeyC =
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/1HYG/mSXDHq1zxdNVgaSnlDIwSVyln3zR9G5yWFjkqYlAX6u+J7geC4wW/"
    "oO+rNg9Iw2a5CskFRsHJHjdThYA==";
inline constexpr const char* kEd25519Key = "MCowBQYDK2VwAyEARIqUa3cLqN3CxUDaUNu2dtGGP/yncDQYAkaqNxYgwEg=";
inline constexpr const char* kP384Key =
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEVbrc6zQSp7+yV4dLO/COjbd7A89a991UL+gCGd/9mLrgRyHMlKrazqAwKjh5lQ/"
    "A2Mm8ko+jHYK48Z3RP0WriuK1/LTbtgAJ7rlheB+Cr6Mu"
    "d7M8K3CBocE31UZpEpCw";

inline constexpr const char* kGoodRoster = R"({
  "format": "keyceremony-roster/1",
  "estate": "smki.example",
  "quorums": {
    "custodians": {"m": 2, "role": "custodian"},
    "officers": {"m": 1, "role": "security-officer"}
  },
  "people": [
    {"id": "alice", "name": "Alice Archer", "employer": "Acme", "roles": ["custodian"], "domain": "organisation", "site": "North", "state": "active",
     "history": [{"state": "trained", "on": "2025-01-02"}, {"state": "active", "on": "2026-03-04"}],
     "sign_key": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf5d3hZkcOia4Fl/hg/DeWYAiERqgzB0dJnf3u4wQWKwOb9ge/RhnwtJtxL8n2ANu41lmhWzixDL7Ki06VBgcVQ==",
     "open_key": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIJRsjpmbqrUDbutMYrHG86KiZXh+ohtOxWf5u5Io+cX4GfYHODa97iQ+0DVgFi2lmd9HJyA0/1gQp1WyFnw38Q=="},
    {"id": "bob", "name": "Bob Baker", "employer": "Bolt", "roles": ["custodian", "security-officer"], "state": "active",
     "sign_key": "MCowBQYDK2VwAyEARIqUa3cLqN3CxUDaUNu2dtGGP/yncDQYAkaqNxYgwEg="},
    {"id": "carol", "name": "Carol Çelik", "employer": "Acme", "roles": ["custodian"], "state": "leaving",
     "sign_key": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/1HYG/mSXDHq1zxdNVgaSnlDIwSVyln3zR9G5yWFjkqYlAX6u+J7geC4wW/oO+rNg9Iw2a5CskFRsHJHjdThYA=="},
    {"id": "dave", "name": "Dave Dean", "employer": "Bolt", "roles": ["custodian", "witness"], "state": "active"}
  ]
}
)";

inline constexpr const char* kGoodShare = R"({
  "format": "keyceremony-share/1",
  "estate": "smki.example",
  "token": "root-hsm",
  "set": "00112233445566778899aabbccddeeff",
  "generation": 2,
  "quorum": "custodians",
  "m": 3,
  "n": 255,
  "holder": "alice",
  "holder_key": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "x": 3,
  "user": {
    "commitment": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "enc": "BMBrT2vrx7tJXLeXq3U/kRr/gK77hv2Lb8w1Ul86tfA+CyG9MahsYEivPLLZjg078B2lzEw5/1Nw0zGk8ffVpOA=",
    "ciphertext": "WMYaRQWdDFcEVg6diLVkqLY/E2S40fyzxMbdwdKRdCRl6QLNIW+JCNpJ+Plv"
  },
  "security_officer": {
    "commitment": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "enc": "BMBrT2vrx7tJXLeXq3U/kRr/gK77hv2Lb8w1Ul86tfA+CyG9MahsYEivPLLZjg078B2lzEw5/1Nw0zGk8ffVpOA=",
    "ciphertext": "WMYaRQWdDFcEVg6diLVkqLY/E2S40fyzxMbdwdKRdCRl6QLNIW+JCNpJ+Plv"
  }
}
)";

inline constexpr const char* kGoodBinding = R"({
  "format": "keyceremony-binding/1",
  "estate": "smki.example",
  "environment": "sit",
  "tokens": {
    "root-hsm": {"module": "/usr/lib/softhsm/libsofthsm2.so", "label": "ROOT A", "serial": "0123456789abcdef", "login": "protected-path", "site": "North", "environment": {"SOFTHSM2_CONF": "/etc/softhsm2.conf"}},
    "new-hsm": {"module": "/usr/lib/softhsm/libsofthsm2.so", "label": "ROOT B", "uninitialised": {"slot": 7, "serial": "S1", "slot_description": "SoftHSM slot"},
                "environment": {"SOFTHSM2_CONF": "/etc/softhsm2.conf"}},
    "log": {"module": "/usr/lib/x86_64-linux-gnu/libsoftokn3.so", "label": "LOG", "uninitialised": {}, "init_args": "configdir='/tmp/nss' secmod=''"}
  },
  "record_token": "log"
}
)";

// Every kind of credential.
inline constexpr const char* kCredentialsBinding = R"({
  "format": "keyceremony-binding/1",
  "estate": "smki.example",
  "environment": "rehearsal",
  "tokens": {"log": {"module": "/usr/lib/softhsm/libsofthsm2.so", "label": "LOG", "serial": "1"}},
  "record_token": "log",
  "credentials": {
    "alice": {"sign": "/media/alice/sign.pem", "open": "/media/alice/open.pem"},
    "bob": {"module": "/usr/lib/opensc-pkcs11.so", "label": "BOB", "serial": "77", "environment": {"CARD": "1"}, "init_args": "x=1"},
    "carol": {"offline": true},
    "dave": {"sign": "/media/dave/sign.pem"}
  }
}
)";

inline constexpr const char* kGoodPolicy = R"({
  "format": "keyceremony-policy/1",
  "id": "smki",
  "version": "1.0",
  "title": "Test policy",
  "clock": {"tolerance_seconds": 5},
  "window": {"warn_minutes": 60, "stop_minutes": 90},
  "quorum": {"minimum_m": 2, "spare": 1, "one_employer_below_m": true},
  "pin": {"alphabet": "0123456789", "user_length": 12, "so_length": 16},
  "algorithms": {"ca_keys": ["ec-p256", "rsa-4096"], "signatures": ["ecdsa-with-SHA256"]},
  "waiver": {"people": 2},
  "validity": {"root": 18263},
  "caps": {"issuing": {"certificates": 100000, "days": 92, "deactivate_minutes": 60, "hold_months": 24}},
  "crl": {"arl_days": 366, "crl_hours": 12},
  "attendance": {"witness": 1},
  "roles_apart": [["administrator", "auditor"]],
  "statement_signing": true,
  "rules": [
    {"id": "QUORUM-MAJORITY-01", "severity": "good-practice", "text": "More than half.", "clause": "CP 5.2.2"},
    {"id": "OWN-01", "severity": "breach"}
  ]
}
)";

#endif  // TESTS_UNIT_SCRIPT_SAMPLE_FILES_H_
