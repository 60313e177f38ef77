// A roster of custodians whose opening keys are at hand.
#ifndef TESTS_UNIT_QUORUM_COMPANY_H_
#define TESTS_UNIT_QUORUM_COMPANY_H_

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ceremony/quorum/share_set.h"
#include "ceremony/quorum/software_agreement_key.h"
#include "ceremony/script/roster.h"
#include "hsm/base/encoding.h"
#include "tests/support/results.h"

inline base::SecretBytes Secret(std::string_view text) { return base::SecretBytes::CopyOf(base::AsBytes(text)); }

struct Company {
  explicit Company(int n) {
    roster.estate = "smki.example";
    roster.quorums = {{"custodians", 0, ceremony::script::Role::kCustodian}};
    for (int i = 0; i < n; ++i) {
      ceremony::script::Person person;
      person.id = fmt::format("p{}", i + 1);
      person.name = fmt::format("Person {}", i + 1);
      person.roles = {ceremony::script::Role::kCustodian};
      person.state = ceremony::script::PersonState::kActive;
      person.sign_key = "present";
      // One key for all beyond ten people: making 255 takes longer than what is tested.
      keys.push_back(i < 10 ? std::shared_ptr<ceremony::quorum::SoftwareAgreementKey>(
                                  support::Good(ceremony::quorum::SoftwareAgreementKey::Generate()))
                            : keys[0]);
      person.open_key = base::Base64Encode(keys.back()->public_key().spki());
      roster.people.push_back(std::move(person));
    }
  }
  ceremony::quorum::NewShareSet Make(int m, std::int64_t generation = 1, const std::string& token = "root-hsm") {
    roster.quorums[0].m = m;
    return support::Good(ceremony::quorum::MakeShareSet(roster, roster.quorums[0], token, generation, {user, officer}));
  }
  ceremony::script::Roster roster;
  std::vector<std::shared_ptr<ceremony::quorum::SoftwareAgreementKey>> keys;
  base::SecretBytes user = Secret("7KD2-QX9W-PM4T");
  base::SecretBytes officer = Secret("MMT4WPX9QD2K7-ZZ8B");
};

#endif  // TESTS_UNIT_QUORUM_COMPANY_H_
