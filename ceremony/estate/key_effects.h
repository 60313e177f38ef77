// Effects on keys that exist already: see effect.h. Times are RFC 3339, UTC. Fields
// that become known only when a step runs are empty while it is planned.
//
// A key is `active`, then `deactivated` or, if it is kept until a date, `held`, then
// `destroyed`. It may be `compromised` at any time before that. In a plan, a key
// without a public key is planned, too.
#ifndef CEREMONY_ESTATE_KEY_EFFECTS_H_
#define CEREMONY_ESTATE_KEY_EFFECTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ceremony::estate {

// A copy of a key was made on another token and proven to be that key.
struct KeyCloned {
  static constexpr std::string_view kName = "key-cloned";
  std::string key;
  std::string spki_sha256;   // hex, as the copy shows it
  std::string source;        // token that it came from, or the file: WrappedFor(transport key)
  std::string token;         // where it is now
  std::string serial;        // of that token
  std::string object_id;     // CKA_ID, hex
  std::string way;           // hsm::CopyWay::Name, "vendor: <method>", or "transfer"
  std::string proof;         // "certification-request" or "statement": what the copy signed
  bool extractable = false;  // may be cloned on
};

// A transport key was made on a token. It signs nothing. One key of the estate will be
// wrapped under it on another machine, and unwrapped on this token.
struct TransportKeyCreated {
  static constexpr std::string_view kName = "transport-key-created";
  std::string key;        // name, unique over the archive, as any key's
  std::string algorithm;  // base::KeyAlgorithmFacts::name
  std::string spki_sha256;
  std::string token;
  std::string serial;
  std::string object_id;
  std::string carries;                  // the key that will be wrapped under it
  std::vector<std::string> transports;  // hsm::TransportName, best first: ways the token supports
};

// A key left its token, wrapped for a transport key. The file counts as a copy as long
// as somebody can open it.
struct KeyExported {
  static constexpr std::string_view kName = "key-exported";
  std::string key;
  std::string spki_sha256;
  std::string source;  // token that it left
  std::string serial;  // of that token
  std::string transport_key;
  std::string transport;  // hsm::TransportName
  std::string artefact;   // the file, below the record's artefacts/
  std::string sha256;     // of its bytes; empty while only planned
};

// A copy of a key can no longer leave its token. The token refused a test.
struct KeySealed {
  static constexpr std::string_view kName = "key-sealed";
  std::string key;
  std::string token;
  std::string serial;
};

// A person's signed statement about the use of a key so far.
struct KeyUsageStated {
  static constexpr std::string_view kName = "key-usage-stated";
  std::string key;
  std::int64_t count = 0;  // signatures, or certificates, over its whole life
  std::string first_use;   // empty: never used
  std::string last_use;    // as above
  std::string stated_by;   // roster id
  std::string statement;   // SHA-256 of the statement's file, hex; empty: said in the room
};

// A key was taken out of use.
struct KeyDeactivated {
  static constexpr std::string_view kName = "key-deactivated";
  std::string key;
  std::string reason;                  // "cap-reached", "age-reached", "superseded", "ceased", "compromised"
  std::string on;                      // when it was taken out of use
  std::string cap_reached_on;          // when a cap of the policy was reached; empty: none was
  std::int64_t minutes_since_cap = 0;  // from then to `on`
  std::string hold_until;              // the day, "2028-11-28"; empty: it is not held
};

// Somebody else may have, or may have used, the private key.
struct KeyCompromised {
  static constexpr std::string_view kName = "key-compromised";
  std::string key;
  std::string on;
  std::string reason;
};

// One copy of a key is gone: its objects were destroyed and shown to be absent, or a
// document accounts for it.
struct CopyDestroyed {
  static constexpr std::string_view kName = "copy-destroyed";
  std::string key;
  std::string token;
  std::string serial;
  std::string object_id;
  std::string method;    // "C_DestroyObject", or "elsewhere"
  std::string evidence;  // "elsewhere": SHA-256 of the document that says so, hex
  std::string on;
};

// Every copy of a key is gone. A certificate of destruction says so.
struct KeyDestroyed {
  static constexpr std::string_view kName = "key-destroyed";
  std::string key;
  std::string spki_sha256;
  std::string on;
  std::string reason;    // why before the end of its hold; empty: it was due
  std::string artefact;  // the certificate of destruction, below the record's artefacts/
  std::string sha256;    // of its bytes; empty while only planned
};

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_KEY_EFFECTS_H_
