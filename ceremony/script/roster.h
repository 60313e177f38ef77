// The roster: the people of an estate, their roles, state and public keys, and
// the quorums by name. ceremony/record/trust reads the same file for the
// verifier; here it is read strictly.
//
// Format keyceremony-roster/1.
#ifndef CEREMONY_SCRIPT_ROSTER_H_
#define CEREMONY_SCRIPT_ROSTER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/script/fields.h"
#include "ceremony/script/script.h"
#include "ceremony/script/strict_json.h"
#include "hsm/base/result.h"

namespace ceremony::script {

enum class Role : std::uint8_t { kAdministrator, kSecurityOfficer, kCustodian, kWitness, kAuditor };
std::string_view NameOf(Role role);                    // "security-officer"
std::string_view TitleOf(Role role);                   // "security officer"
std::string TitlesOf(const std::vector<Role>& roles);  // "custodian, witness"
// RoleChoices are the words of every field that names a role.
std::vector<ChoiceName> RoleChoices();
// FindRole returns nullopt for an unknown word.
std::optional<Role> FindRole(std::string_view name);
// RoleShape is for maps whose names are roles.
const Shape& RoleShape();

enum class PersonState : std::uint8_t { kNominated, kScreened, kApproved, kTrained, kActive, kLeaving, kLeft };
std::string_view NameOf(PersonState state);
// MayBecome tells whether a person may go from one state to the other: one step
// forward at a time, or to `left` before becoming active. A person who has left
// never comes back under the same id.
bool MayBecome(PersonState from, PersonState to);

// When a person came to a state ("2026-11-21").
struct StateChange {
  PersonState state = PersonState::kNominated;
  std::string on;
};

struct Person {
  std::string id;  // the last part of the key name "<estate>/<id>"
  std::string name;
  std::string employer;
  std::vector<Role> roles;
  std::string domain;                // PKI domain; empty: any
  std::string site;                  // home site; empty: anywhere
  std::vector<std::string> travels;  // other sites where this person may attend
  PersonState state = PersonState::kNominated;
  std::vector<StateChange> history;  // ascending dates; may be empty
  std::string sign_key;              // base64 of the DER SPKI (P-256 or Ed25519); empty: cannot approve
  std::string open_key;              // base64 of the DER SPKI (P-256); empty: cannot hold a share

  bool HasRole(Role role) const;
  // MayAttendAt tells whether this person may attend at a site; an empty site
  // means that none is named.
  bool MayAttendAt(std::string_view place) const;
  // Since is the day on which the present state was reached; empty if unknown.
  std::string Since() const;
};

struct Quorum {
  std::string name;
  int m = 0;
  Role role = Role::kCustodian;
  std::string domain{};  // PKI domain that it serves; empty: any
};

struct Roster {
  std::string estate;
  std::vector<Quorum> quorums;
  std::vector<Person> people;
  LoadedFile file;  // empty for one that was not read from a file

  const Person* FindPerson(std::string_view id) const;
  const Quorum* FindQuorum(std::string_view name) const;
  // MembersOf lists the people who count for a quorum: they have its role, are active,
  // have a sign_key, and belong to no other domain. Their number is the n of m-of-n.
  std::vector<const Person*> MembersOf(const Quorum& quorum) const;
};

const FieldTable& RosterTable();

// The quorum that witnesses every record (first and last checkpoint, addendum);
// a roster without it is refused.
inline constexpr std::string_view kRecordQuorum = "custodians";

// ParseRoster checks more than the table: ids are unique; no key stands twice, for
// two people or as sign and open key of one; keys parse and have a type that
// approvals can use; the history is in order and ends in the given state; every
// quorum can be met (m people count for it); the record's quorum is defined.
//
base::Result<Roster> ParseRoster(LoadedFile file, Problems* problems = nullptr);
base::Result<Roster> ReadRoster(const std::string& path, Problems* problems = nullptr);

// WriteRoster spells a roster as a file, indented, that ParseRoster reads back to
// the same; kInvalidInput when it would not (the error says why).
base::Result<std::string> WriteRoster(const Roster& roster);

// CheckRoster compares a roster with a script: the same estate (INPUT-14), and
// every quorum that a step asks for is defined (INPUT-09).
base::Result<void> CheckRoster(const Script& script, const Roster& roster);

}  // namespace ceremony::script

#endif  // CEREMONY_SCRIPT_ROSTER_H_
