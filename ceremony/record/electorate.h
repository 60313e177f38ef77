// Electorate: the people who may approve for one quorum, and how many are needed.
// They come from the auditor's roster when one is pinned, else from the record's
// own policy. It counts people, never keys.
#ifndef CEREMONY_RECORD_ELECTORATE_H_
#define CEREMONY_RECORD_ELECTORATE_H_

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ceremony/record/note.h"
#include "ceremony/record/policy.h"
#include "ceremony/record/trust.h"

namespace ceremony::record {

class Electorate final {
 public:
  static Electorate OfQuorum(const Trust::Quorum& quorum);
  // OfPolicy takes the people of a policy. They are enough when its quorum is met.
  static Electorate OfPolicy(const Policy& policy);
  // OfAnyNamed takes the same people and asks for `m` of them.
  static Electorate OfAnyNamed(const Policy& policy, std::size_t m);

  const std::vector<VerifierKey>& keys() const { return keys_; }
  std::size_t m() const { return m_; }
  std::size_t people() const;

  // Find returns the index of the key that a line claims to be by.
  std::optional<std::size_t> Find(const SignatureLine& line) const;
  // IsEnough takes indices into keys.
  bool IsEnough(const std::set<std::size_t>& signers) const;
  std::size_t CountPeople(const std::set<std::size_t>& signers) const;

 private:
  std::vector<VerifierKey> keys_;
  std::size_t m_ = 0;
  std::optional<Policy> policy_;
};

}  // namespace ceremony::record

#endif  // CEREMONY_RECORD_ELECTORATE_H_
