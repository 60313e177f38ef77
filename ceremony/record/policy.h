// Policy says who must have cosigned: C2SP tlog-policy text (c2sp.org/tlog-policy), lines
// `log VKEY [URL]`, `witness NAME VKEY [URL]`, `group NAME all|any|K MEMBER...`
// and one `quorum NAME|none`. Custodians are its witnesses.
//
// The standard counts keys; a ceremony counts people (section 4). The person
// is the key name, `<estate name>/<person id>`: two witnesses of one key name
// count once in a group, and a policy in which one person could answer for two
// members of a group, below different subgroups, is refused.
#ifndef CEREMONY_RECORD_POLICY_H_
#define CEREMONY_RECORD_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/record/note.h"

namespace ceremony::record {

class Policy final {
 public:
  struct Log {
    VerifierKey key;
    std::string url;
  };
  struct Witness {
    std::string name;
    VerifierKey key;
    std::string url;
  };
  struct Group {
    std::string name;
    std::size_t threshold;             // 1..members.size()
    std::vector<std::string> members;  // witnesses or earlier groups
  };

  // Parse is strict about everything the standard states: allowed octets, LF
  // after every line, names defined before use and once, each name a member at
  // most once, no key twice, one quorum line. kInvalidInput with line number.
  // At most 256 witnesses, 256 groups and 64 logs.
  static base::Result<Policy> Parse(std::string_view text);

  // A person with the keys that count for them.
  struct Person {
    std::string id;                 // name in the policy text
    std::vector<VerifierKey> keys;  // all with one key name
  };
  // OfPeople is the policy "`threshold` of these people": a witness line a
  // key, for a person of several keys a group `any`, one group `quorum_name`.
  // kInvalidInput when a person has no key, keys of two names, or the
  // threshold is not in 1..people.size(). No log line: the log key is made in
  // the ceremony, and the first cosigned checkpoint vouches for it.
  static base::Result<Policy> OfPeople(std::string_view quorum_name, std::size_t threshold,
                                       std::span<const Person> people);

  // Text is the one spelling that we write: logs, witnesses, groups, quorum,
  // single spaces, no comments.
  std::string Text() const;

  const std::vector<Log>& logs() const { return logs_; }
  const std::vector<Witness>& witnesses() const { return witnesses_; }
  const std::vector<Group>& groups() const { return groups_; }
  const std::string& quorum() const { return quorum_; }  // "none" for no quorum
  // Keys are the witness keys in the order of the witnesses: what VerifyNote takes.
  std::vector<VerifierKey> Keys() const;

  struct Verdict {
    bool met = false;
    std::vector<std::string> people;  // key names of those who signed, each once, sorted
    std::size_t needed = 0;           // threshold of the quorum's group; 1 for a witness, 0 for none
    std::size_t counted = 0;          // how many of its members are satisfied, by person
  };
  // Evaluate counts signers (indices into witnesses(); any order, repeats are
  // harmless). Indices out of range abort: they are a bug.
  Verdict Evaluate(std::span<const std::size_t> signers) const;

 private:
  base::Result<void> CheckPeople() const;
  std::size_t Count(const Group& group, std::span<const bool> signed_by) const;
  bool Satisfied(std::string_view member, std::span<const bool> signed_by) const;
  const Group* FindGroup(std::string_view name) const;
  const Witness* FindWitness(std::string_view name) const;

  std::vector<Log> logs_;
  std::vector<Witness> witnesses_;
  std::vector<Group> groups_;
  std::string quorum_ = "none";
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_POLICY_H_
