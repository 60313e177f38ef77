#include "ceremony/quorum/share_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "hsm/base/aside.h"
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

namespace {

// Half is what one PIN adds to a new set.
struct Half {
  SplitProof proof;
  std::vector<script::SealedHalf> sealed;  // in the order of the files
};

// `files` say all that is bound into a seal; `keys` are those of their holders.
base::Result<Half> MakeHalf(const base::SecretBytes& secret, Pin pin, const std::vector<script::ShareFile>& files,
                            const std::vector<base::PublicKey>& keys, int m) {
  KC_ASSIGN_OR_RETURN(const std::vector<ShamirShare> shares, SplitSecret(secret, m, static_cast<int>(files.size())));
  Half half;
  KC_ASSIGN_OR_RETURN(half.proof, ProveSplit(secret, m, shares));
  for (std::size_t i = 0; i < files.size(); ++i) {
    KC_ASSIGN_OR_RETURN(script::SealedHalf sealed, SealShare(files[i], pin, shares[i], keys[i]));
    half.sealed.push_back(std::move(sealed));
  }
  return half;
}

}  // namespace

base::Result<NewShareSet> MakeShareSet(const script::Roster& roster, const script::Quorum& quorum,
                                       const std::string& token, std::int64_t generation, const TokenPins& pins) {
  KC_ASSIGN_OR_RETURN(const std::vector<const script::Person*> holders, SharesHeldBy(roster, quorum));
  NewShareSet made;
  made.set = {token, base::RandomHex(16), generation, quorum.name, quorum.m, {}, {}};
  std::vector<base::PublicKey> keys;
  for (const script::Person* holder : holders) {
    KC_ASSIGN_OR_RETURN(const base::Bytes spki, base::Base64Decode(holder->open_key));
    KC_ASSIGN_OR_RETURN(base::PublicKey open_key, base::PublicKey::FromSpki(spki));
    script::ShareFile file;
    file.estate = roster.estate;
    file.token = token;
    file.set = made.set.set;
    file.generation = generation;
    file.quorum = quorum.name;
    file.m = quorum.m;
    file.n = static_cast<int>(holders.size());
    file.holder = holder->id;
    file.holder_key = open_key.SpkiSha256Hex();
    file.x = static_cast<int>(keys.size()) + 1;  // as SplitSecret counts
    made.files.push_back(std::move(file));
    keys.push_back(std::move(open_key));
  }
  // The two PINs have nothing to do with each other until their halves are put into one file.
  auto user_half = base::Aside([&] { return MakeHalf(pins.user, Pin::kUser, made.files, keys, quorum.m); });
  base::Result<Half> officer = MakeHalf(pins.security_officer, Pin::kSecurityOfficer, made.files, keys, quorum.m);
  KC_ASSIGN_OR_RETURN(Half of_user, user_half.get());
  KC_ASSIGN_OR_RETURN(Half of_officer, std::move(officer));
  made.proof = of_user.proof;
  for (std::size_t i = 0; i < made.files.size(); ++i) {
    script::ShareFile& file = made.files[i];
    file.user = std::move(of_user.sealed[i]);
    file.security_officer = std::move(of_officer.sealed[i]);
    made.set.holders.push_back({file.holder, file.user.commitment, file.security_officer.commitment});
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
  return base::MakeError(base::ErrorCode::kNoQuorum,
                         fmt::format("token {} opens with {} of {} shares, {} were given; not from {}", set.token,
                                     set.m, set.holders.size(), given.size(), missing))
      .WithRule("QUORUM-SHARE-SHORT")
      .WithHint("bring more of them and use `keyceremony resume RECORD`");
}

}  // namespace ceremony::quorum
