#include "ceremony/quorum/share_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hsm/base/encoding.h"
#include "hsm/base/random.h"

namespace ceremony::quorum {

base::Result<std::vector<const script::Person*>> SharesHeldBy(const script::Roster& roster,
                                                              const script::Quorum& quorum) {
  std::vector<const script::Person*> members = roster.MembersOf(quorum);
  for (const script::Person* person : members) {
    if (!person->open_key.empty()) continue;
    return base::Refusal("SHARE-ROSTER-01",
                         fmt::format("{} is a member of the quorum {} and has no open_key to seal a share to",
                                     person->name, quorum.name),
                         "give every member an open_key in the roster");
  }
  return members;
}

std::string ShareArtefact(const std::string& token, const std::string& set, const std::string& person) {
  return fmt::format("shares/{}/{}/{}.share.json", token, set, person);
}

base::Result<NewShareSet> MakeShareSet(const script::Roster& roster, const script::Quorum& quorum,
                                       const std::string& token, std::int64_t generation, const base::SecretBytes& user,
                                       const base::SecretBytes& security_officer) {
  KC_ASSIGN_OR_RETURN(const std::vector<const script::Person*> holders, SharesHeldBy(roster, quorum));
  const auto n = static_cast<int>(holders.size());
  KC_ASSIGN_OR_RETURN(const std::vector<ShamirShare> user_shares, SplitSecret(user, quorum.m, n));
  KC_ASSIGN_OR_RETURN(const std::vector<ShamirShare> officer_shares, SplitSecret(security_officer, quorum.m, n));
  NewShareSet made;
  KC_ASSIGN_OR_RETURN(made.proof, ProveSplit(user, quorum.m, user_shares));
  KC_RETURN_IF_ERROR(ProveSplit(security_officer, quorum.m, officer_shares));

  made.set = {token, base::RandomHex(16), generation, quorum.name, quorum.m, {}, {}};
  for (std::size_t i = 0; i < holders.size(); ++i) {
    KC_ASSIGN_OR_RETURN(const base::Bytes spki, base::Base64Decode(holders[i]->open_key));
    KC_ASSIGN_OR_RETURN(const base::PublicKey open_key, base::PublicKey::FromSpki(spki));
    script::ShareFile file;
    file.estate = roster.estate;
    file.token = token;
    file.set = made.set.set;
    file.generation = generation;
    file.quorum = quorum.name;
    file.m = quorum.m;
    file.n = n;
    file.holder = holders[i]->id;
    file.holder_key = open_key.SpkiSha256Hex();
    file.x = user_shares[i].x;
    KC_ASSIGN_OR_RETURN(file.user, SealShare(file, Pin::kUser, user_shares[i], open_key));
    KC_ASSIGN_OR_RETURN(file.security_officer, SealShare(file, Pin::kSecurityOfficer, officer_shares[i], open_key));
    made.set.holders.push_back({file.holder, file.user.commitment, file.security_officer.commitment});
    made.files.push_back(std::move(file));
  }
  return made;
}

base::Result<void> PinAssembly::Add(const std::string& person, ShamirShare share) {
  const auto taken =
      std::find_if(shares_.begin(), shares_.end(), [&](const auto& given) { return given.second.x == share.x; });
  if (taken != shares_.end()) {
    return base::Refusal(
        "SHARE-TWICE-01",
        fmt::format("{} gave the share with coordinate {} of the {} of token {}, which {} has given already", person,
                    share.x, PinTitle(pin_), set_.token, taken->first),
        "each custodian gives the one share that was sealed to them");
  }
  shares_.emplace(person, std::move(share));
  return {};
}

std::vector<std::string> PinAssembly::people() const {
  std::vector<std::string> people;
  for (const auto& [person, share] : shares_) people.push_back(person);
  return people;
}

base::Result<base::SecretBytes> PinAssembly::Combine() const {
  if (!complete()) return SharesShort(set_, people());
  std::vector<const ShamirShare*> given;
  for (const auto& [person, share] : shares_) {
    if (given.size() < static_cast<std::size_t>(set_.m)) given.push_back(&share);
  }
  return CombineShares(given);
}

base::Error SharesShort(const estate::ShareSet& set, const std::vector<std::string>& given) {
  std::string missing;
  for (const estate::ShareHolder& holder : set.holders) {
    if (std::find(given.begin(), given.end(), holder.person) != given.end()) continue;
    missing += (missing.empty() ? "" : ", ") + holder.person;
  }
  base::Error error = base::MakeError(base::ErrorCode::kNoQuorum,
                                      fmt::format("token {} opens with {} of {} shares, {} were given; not from {}",
                                                  set.token, set.m, set.holders.size(), given.size(), missing));
  error.rule = "QUORUM-SHARE-SHORT";
  error.hint = "bring more of them and use `keyceremony resume RECORD`";
  return error;
}

}  // namespace ceremony::quorum
