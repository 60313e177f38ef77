// The policy: the numbers and rules of an operator, versioned, never in code.
// A file must state clock, window, quorum, pin, algorithms and waiver. All other
// members are optional; a missing one sets no limit.
//
// Format keyceremony-policy/1.
#ifndef CEREMONY_SCRIPT_POLICY_H_
#define CEREMONY_SCRIPT_POLICY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/fields.h"
#include "ceremony/script/roster.h"
#include "ceremony/script/strict_json.h"
#include "ceremony/x509/severity.h"
#include "hsm/base/result.h"

namespace ceremony::script {

using x509::Severity;

// PolicyRule grades a rule of the product, or states one of the operator's own
// that people attest to.
struct PolicyRule {
  std::string id;  // "QUORUM-MAJORITY-01"
  Severity severity = Severity::kBreach;
  std::string text;    // may be empty
  std::string clause;  // of the operator's certificate policy; may be empty
};

struct ClockPolicy {
  int tolerance_seconds = 0;  // largest difference between the machine's clock and the time that is read aloud
};

// Minutes that a section may take (the window in which a token is open).
struct WindowPolicy {
  int warn_minutes = 0;
  int stop_minutes = 0;
};

// Where the members of a quorum may be (R19).
enum class QuorumSpread : std::uint8_t {
  kAny,      // "any": no rule
  kSeveral,  // "several": the people of one jurisdiction never reach m alone
  kOne,      // "one": all are of the same jurisdiction
};

// Sites under one law.
struct Jurisdiction {
  std::string name;
  std::vector<std::string> sites;
};

struct QuorumPolicy {
  int minimum_m = 0;
  int spare = 0;                      // active members wanted beyond m, or the pool alarm sounds
  bool one_employer_below_m = false;  // no single employer may reach m alone
  QuorumSpread spread = QuorumSpread::kAny;
  int approval_minutes = 0;  // longest time from a request to its last cosignature; 0: no limit
};

// PINs that the product makes. Characters are drawn evenly from the alphabet.
struct PinPolicy {
  std::string alphabet;  // unique ASCII characters, 10..94
  int user_length = 0;
  int so_length = 0;
};

struct AlgorithmPolicy {
  std::vector<std::string> ca_keys;     // names of base::KeyAlgorithms(): what key.generate may make
  std::vector<std::string> signatures;  // names of x509::SignatureAlgorithms(): what a profile may use
};

// Most days that a certificate of a kind may be valid.
struct ValidityLimit {
  std::string certificate;  // "root", "issuing", ...: the operator's words, as profiles use them
  std::int64_t maximum_days = 0;
};

// Life of issuing keys; absent: no cap.
struct KeyCap {
  std::string use;                // "issuing"
  std::int64_t certificates = 0;  // 0: no cap on the count
  int days = 0;                   // 0: no cap on the age
  int deactivate_minutes = 0;     // after the cap was reached
  int hold_months = 0;            // from deactivation to destruction, at most
};

struct CrlPolicy {
  int arl_days = 0;   // 0: no rule
  int crl_hours = 0;  // 0: no rule
};

// Least number of people of a role that must attend every ceremony.
struct AttendancePolicy {
  Role role = Role::kWitness;
  int minimum = 0;
};

// Two roles that one person may not hold in one ceremony.
struct RolePair {
  Role first = Role::kAdministrator;
  Role second = Role::kAuditor;
};

struct Policy {
  std::string id;
  std::string version;
  std::string title;
  ClockPolicy clock;
  WindowPolicy window;
  QuorumPolicy quorum;
  PinPolicy pin;
  AlgorithmPolicy algorithms;
  std::vector<ValidityLimit> validity;
  std::vector<KeyCap> caps;
  CrlPolicy crl;
  std::vector<AttendancePolicy> attendance;
  std::vector<RolePair> roles_apart;
  std::vector<Jurisdiction> jurisdictions;
  std::vector<std::string> confidential;  // fields of which entries hold only a salted digest
  int waiver_people = 0;                  // named people who must agree to waive a rule
  bool statement_signing = false;         // whether a CA key may sign a proof-of-copy statement
  std::vector<PolicyRule> rules;
  LoadedFile file;

  // FindRule returns nullptr for a rule that the policy does not name.
  const PolicyRule* FindRule(std::string_view rule) const;
  // JurisdictionOf returns the jurisdiction of a site; empty if it has none, or for an empty site.
  std::string JurisdictionOf(std::string_view site) const;
  // KeepsConfidential tells whether records must not show this field: `employer`, or the name of a fact.
  bool KeepsConfidential(std::string_view field) const;
  bool AllowsKey(std::string_view algorithm) const;
  bool AllowsSignature(std::string_view algorithm) const;
};

const FieldTable& PolicyTable();

// ParsePolicy checks more than the table: the warning comes before the stop, no
// rule stands twice, no site is in two jurisdictions, the PIN alphabet has no
// repeats, and a PIN has at least 32 bits of entropy.
base::Result<Policy> ParsePolicy(LoadedFile file, Problems* problems = nullptr);
base::Result<Policy> ReadPolicy(const std::string& path, Problems* problems = nullptr);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_POLICY_H_
