// The binding: which real token is meant by each logical token of a script, how
// its module is loaded, and how to log in. It never holds a secret; a field that
// looks like one is refused (INPUT-11), and its value is not repeated.
//
// Format keyceremony-binding/1.
#ifndef CEREMONY_SCRIPT_BINDING_H_
#define CEREMONY_SCRIPT_BINDING_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/fields.h"
#include "ceremony/script/script.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/result.h"

namespace ceremony::script {

// Where a ceremony runs. Only `rehearsal` may use simulated people and SoftHSM
// tokens made for it; the record's `mode` is rehearsal for it, else production.
enum class Environment : std::uint8_t { kRehearsal, kUit, kSit, kProduction };
std::string_view NameOf(Environment environment);

enum class Login : std::uint8_t {
  kPinPrompt,      // "pin-prompt": typed at the terminal, without echo
  kProtectedPath,  // "protected-path": the token has its own keypad or card reader
  kShares,         // "shares": custodians combine the PIN
};
std::string_view NameOf(Login login);

// How to recognise an uninitialised token, which has no label and serial of ours
// yet. Absent members are not compared; exactly one token must match.
struct Uninitialised {
  std::optional<std::uint64_t> slot;  // CK_SLOT_ID
  std::string serial;                 // of the device, when it shows one before it is initialised
  std::string slot_description;       // as C_GetSlotInfo shows it, without trailing blanks
};

struct TokenBinding {
  std::string name;    // the logical token
  std::string module;  // absolute path of the PKCS#11 library
  std::string label;   // CKA label of the token, to be found or to be given to it (1..32 bytes)
  // Exactly one of the two: a token in service, or one to be commissioned.
  std::string serial;
  std::optional<Uninitialised> uninitialised;
  Login login = Login::kPinPrompt;
  std::map<std::string, std::string> environment;  // set before the module is loaded
  std::string init_args;                           // for C_Initialize's pReserved; empty: none
  std::string site;                                // where it stands, for the plan; may be empty
};

// Where the keys of a custodian are: in files, on a card or token of their own,
// or somewhere that this machine never sees.
enum class CredentialKind : std::uint8_t { kFiles, kCard, kOffline };

struct CredentialBinding {
  CredentialKind kind = CredentialKind::kOffline;
  // kFiles: PKCS#8 in PEM, absolute paths. Encrypted, unless the person is simulated.
  std::string sign;
  std::string open;  // empty: holds no shares
  // kCard: the keys on it are found by the public keys of the roster. Its PIN is
  // typed at the terminal, or on the card reader where that has a PIN pad.
  std::string module;  // absolute path of the PKCS#11 library
  std::string label;   // of the card; it or the serial, or both
  std::string serial;
  std::map<std::string, std::string> environment;  // set before the module is loaded
  std::string init_args;                           // for C_Initialize's pReserved; empty: none

  static CredentialBinding Files(std::string sign, std::string open);
};

// Waiver is a rule that people have waived for the ceremonies of this binding.
// They say so again in the room.
struct Waiver {
  std::string rule;                 // "QUORUM-SPARE-01"
  std::string step;                 // the only step that it is for; empty: all
  std::string reason;               // a sentence
  std::vector<std::string> people;  // ids, each once
};

struct Binding {
  std::string estate;  // must be that of the script
  Environment environment = Environment::kRehearsal;
  std::vector<TokenBinding> tokens;                      // in file order
  std::string record_token;                              // the one of `tokens` that holds the log key
  std::map<std::string, CredentialBinding> credentials;  // by person id
  std::vector<Waiver> waivers;
  std::string script_sha256;  // freezes the script: no other bytes may run; empty: not frozen
  LoadedFile file;            // empty for one that was not read from a file

  const TokenBinding* Find(std::string_view token) const;
};

const FieldTable& BindingTable();

base::Result<Binding> ParseBinding(LoadedFile file, Problems* problems = nullptr);
base::Result<Binding> ReadBinding(const std::string& path, Problems* problems = nullptr);

// WriteBinding spells a binding as a file, indented, that ParseBinding reads
// back to the same; kInvalidInput when it would not (the error says why).
base::Result<std::string> WriteBinding(const Binding& binding);

// CheckBinding compares a binding with a script: the same estate (INPUT-14), and
// every token of the script bound (BIND-01). Tokens that the script does not
// name are allowed, so that one binding serves several scripts.
base::Result<void> CheckBinding(const Script& script, const Binding& binding);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_BINDING_H_
