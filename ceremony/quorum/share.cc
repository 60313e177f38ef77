#include "ceremony/quorum/share.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ceremony/quorum/hpke.h"
#include "ceremony/record/entry.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/random.h"

namespace ceremony::quorum {
namespace {

using base::SecretBytes;
using nlohmann::json;

// Domain tags, each with a line feed that no JSON text begins with.
constexpr std::string_view kCommitTag = "keyceremony-share-commitment/1\n";
constexpr std::string_view kSealTag = "keyceremony-share/1\n";
constexpr std::size_t kSaltBytes = 16;

// Context is all of the file that is not the seal itself, in its one spelling.
base::Result<std::string> ContextOf(const script::ShareFile& file, Pin pin) {
  return record::CanonicaliseValue(json{{"estate", file.estate},
                                        {"token", file.token},
                                        {"set", file.set},
                                        {"generation", file.generation},
                                        {"quorum", file.quorum},
                                        {"m", file.m},
                                        {"n", file.n},
                                        {"holder", file.holder},
                                        {"holder_key", file.holder_key},
                                        {"x", file.x},
                                        {"pin", PinName(pin)}});
}

std::string CommitmentOf(const std::string& context, base::ByteView salted) {
  base::Sha256Stream digest;
  digest.Update(base::AsBytes(kCommitTag));
  digest.Update(base::AsBytes(context));
  digest.Update(base::AsBytes("\n"));
  digest.Update(salted);
  return base::HexEncode(digest.Finish());
}

std::string WhoseOf(const script::ShareFile& file) {
  return fmt::format("{}'s share of token {}, set {}", file.holder, file.token, file.set);
}

}  // namespace

std::string_view PinName(Pin pin) { return pin == Pin::kUser ? "user" : "security-officer"; }
std::string_view PinTitle(Pin pin) { return pin == Pin::kUser ? "user PIN" : "security officer PIN"; }

base::Result<script::SealedHalf> SealShare(const script::ShareFile& file, Pin pin, const ShamirShare& share,
                                           const base::PublicKey& open_key) {
  KC_ASSIGN_OR_RETURN(const std::string context, ContextOf(file, pin));
  SecretBytes salted(kSaltBytes + share.y.size());
  base::FillRandom(salted.writable().first(kSaltBytes));
  std::ranges::copy(share.y.view(), salted.writable().begin() + kSaltBytes);
  script::SealedHalf half;
  half.commitment = CommitmentOf(context, salted.view());
  KC_ASSIGN_OR_RETURN(Sealed sealed, HpkeSeal(open_key, base::AsBytes(std::string(kSealTag) + context),
                                              base::AsBytes(half.commitment), salted));
  half.enc = std::move(sealed.enc);
  half.ciphertext = std::move(sealed.ciphertext);
  return half;
}

const script::SealedHalf& HalfOf(const script::ShareFile& file, Pin pin) {
  return pin == Pin::kUser ? file.user : file.security_officer;
}

base::Result<ShamirShare> OpenShare(const script::ShareFile& file, Pin pin, AgreementKey& key) {
  KC_ASSIGN_OR_RETURN(const SecretBytes salted, OpenSalted(file, pin, key));
  return TakeSalted(file, pin, salted);
}

base::Result<SecretBytes> OpenSalted(const script::ShareFile& file, Pin pin, AgreementKey& key) {
  if (const std::string given = key.public_key().SpkiSha256Hex(); given != file.holder_key) {
    return base::Refusal(
        "SHARE-KEY-01",
        fmt::format("{} was sealed to the key {}, it is opened with the key {}", WhoseOf(file), file.holder_key, given),
        "take the credential that the holder had when the set was made, or reshare");
  }
  KC_ASSIGN_OR_RETURN(const std::string context, ContextOf(file, pin));
  const script::SealedHalf& half = HalfOf(file, pin);
  auto opened = HpkeOpen(key, {half.enc, half.ciphertext}, base::AsBytes(std::string(kSealTag) + context),
                         base::AsBytes(half.commitment));
  if (!opened.ok()) {
    const base::ErrorCode code = opened.error().code;
    if (code != base::ErrorCode::kCorrupt && code != base::ErrorCode::kInvalidInput) return std::move(opened).error();
    return base::Refusal(
        "SHARE-SEAL-01",
        fmt::format("the {} half of {} does not open: the file was changed", PinTitle(pin), WhoseOf(file)),
        "take the file from the record that made it");
  }
  SecretBytes salted = std::move(opened).value();
  KC_RETURN_IF_ERROR(TakeSalted(file, pin, salted));
  return salted;
}

base::Result<ShamirShare> TakeSalted(const script::ShareFile& file, Pin pin, const SecretBytes& salted) {
  KC_ASSIGN_OR_RETURN(const std::string context, ContextOf(file, pin));
  const script::SealedHalf& half = HalfOf(file, pin);
  if (salted.size() <= kSaltBytes || CommitmentOf(context, salted.view()) != half.commitment) {
    return base::Refusal("SHARE-SEAL-02",
                         fmt::format("the {} half of {} opens to what its commitment {} does not fit", PinTitle(pin),
                                     WhoseOf(file), half.commitment),
                         "this file was not made by a ceremony; find out who made it");
  }
  return ShamirShare{static_cast<std::uint8_t>(file.x), SecretBytes::CopyOf(salted.view().subspan(kSaltBytes))};
}

base::Result<void> CheckShare(const script::ShareFile& file, const std::string& estate,
                              const estate::ShareSet& expected, const std::string& person) {
  if (file.estate != estate) {
    return base::Refusal("SHARE-ESTATE-01",
                         fmt::format("{} is of the estate {}, expected {}", WhoseOf(file), file.estate, estate));
  }
  if (file.token != expected.token) {
    return base::Refusal(
        "SHARE-TOKEN-01",
        fmt::format("{} gave a share of token {}, expected one of token {}", person, file.token, expected.token),
        "take the file for this token");
  }
  if (file.set != expected.set) {
    const bool older = file.generation < expected.generation;
    return base::Refusal(
        older ? "SHARE-SET-01" : "SHARE-SET-02",
        fmt::format("{} gave a share of set {} (generation {}), token {} opens with set {} (generation {})", person,
                    file.set, file.generation, file.token, expected.set, expected.generation),
        older ? "that set was replaced and opens nothing any more: take the newer file"
              : "this archive does not know that set: is it the newest copy of the archive?");
  }
  // The share's word is sealed with it. An archive that says a smaller m would have
  // too few shares combined, and a wrong PIN tried.
  const auto n = static_cast<int>(expected.holders.size());
  if (file.m != expected.m || file.n != n || file.quorum != expected.quorum || file.generation != expected.generation) {
    return base::Refusal(
        "SHARE-SET-03",
        fmt::format("{} is {} of {} ({}), generation {}; the archive says {} of {} ({}), generation {}", WhoseOf(file),
                    file.m, file.n, file.quorum, file.generation, expected.m, n, expected.quorum, expected.generation),
        "one of the two was changed: verify the archive before anything else");
  }
  const estate::ShareHolder* holder = expected.FindHolder(person);
  if (holder == nullptr) {
    return base::Refusal("SHARE-HOLDER-02",
                         fmt::format("{} holds no share of token {}, set {}", person, expected.token, expected.set));
  }
  if (file.holder != person) {
    return base::Refusal("SHARE-HOLDER-01",
                         fmt::format("{} gave the share of {}, expected {}'s own", person, file.holder, person),
                         "each custodian gives the share that was sealed to them");
  }
  for (const auto& [pin, found, recorded] :
       {std::tuple(Pin::kUser, file.user.commitment, holder->user_commitment),
        std::tuple(Pin::kSecurityOfficer, file.security_officer.commitment, holder->officer_commitment)}) {
    if (found == recorded) continue;
    return base::Refusal("SHARE-COMMIT-01",
                         fmt::format("the {} half of {} has the commitment {}, the record has {}", PinTitle(pin),
                                     WhoseOf(file), found, recorded),
                         "the file was changed or made by somebody else; take it from the record that made it");
  }
  return {};
}

}  // namespace ceremony::quorum
