#include "ceremony/quorum/share_request.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ceremony/quorum/software_agreement_key.h"
#include "ceremony/record/entry.h"
#include "hsm/base/encoding.h"
#include "tests/support/results.h"
#include "tests/unit/quorum/company.h"

namespace {

using namespace ceremony;
using namespace ceremony::quorum;
using support::Bad;
using support::Good;

script::LoadedFile Loaded(std::string bytes) {
  script::LoadedFile file;
  file.name = "file";
  file.sha256 = base::Sha256Hex(bytes);
  file.bytes = std::move(bytes);
  return file;
}

ShareRequest RequestFor(const script::ShareFile& share, std::vector<Pin> pins = {Pin::kUser}) {
  ShareRequest request;
  request.origin = "smki.example/root-2026/00112233445566778899aabbccddeeff";
  request.mode = "production";
  request.step = "generate-root";
  request.pins = std::move(pins);
  request.share_bytes = Good(script::WriteShare(share));
  request.share = share;
  return request;
}

// As it arrives on the holder's machine.
ShareRequest Carried(const ShareHandOver& hand_over) {
  return Good(ParseShareRequest(Loaded(Good(WriteShareRequest(hand_over.request())))));
}
ShareAnswer Carried(const ShareAnswer& answer) {
  return Good(ParseShareAnswer(Loaded(Good(WriteShareAnswer(answer)))));
}

// The log of a record that holds the request, its entry changed by `change`.
std::string LogWith(const ShareHandOver& hand_over, const nlohmann::json& change = nlohmann::json::object()) {
  const nlohmann::json before = {{"v", 1},
                                 {"seq", 0},
                                 {"type", "note"},
                                 {"time", "2026-11-29T10:00:00.000000Z"},
                                 {"mono", 1},
                                 {"text", "before"},
                                 {"salt", std::string(32, '5')},
                                 {"mode", "production"}};
  nlohmann::json asked = before;
  asked.erase("text");
  asked.update({{"seq", 1},
                {"type", "observe"},
                {"what", kAskedElsewhere},
                {"token", hand_over.request().share.token},
                {"set", hand_over.request().share.set},
                {"person", hand_over.request().share.holder},
                {"request", base::HexEncode(hand_over.digest())}});
  asked.update(change);
  return Good(record::CanonicaliseValue(before)) + "\n" + Good(record::CanonicaliseValue(asked)) + "\n";
}

RecordProof ProofFrom(const std::string& log, const std::string& origin) {
  record::CompactRange tree;
  for (const std::string_view line : EntryLines(log)) tree.Append(record::Leaf(line));
  return Good(MakeRecordProof(record::Checkpoint{origin, 2, tree.Root()}.Text(), log, 1));
}

}  // namespace

TEST_CASE("a share that its holder opens elsewhere comes back the same, and no file on the way holds it") {
  Company company(3);
  const NewShareSet made = company.Make(2);
  ShareHandOver hand_over = Good(ShareHandOver::Begin(RequestFor(made.files[1], {Pin::kUser, Pin::kSecurityOfficer})));
  const ShareRequest asked = Carried(hand_over);
  CHECK(Good(DigestOf(asked)) == hand_over.digest());
  const std::string text = Good(WriteShareAnswer(Good(AnswerShareRequest(asked, *company.keys[1]))));
  const std::vector<ShamirShare> shares = Good(hand_over.Take(Good(ParseShareAnswer(Loaded(text)))));
  REQUIRE(shares.size() == 2);
  for (const auto& [pin, index] : {std::pair(Pin::kUser, 0U), std::pair(Pin::kSecurityOfficer, 1U)}) {
    const ShamirShare direct = Good(OpenShare(made.files[1], pin, *company.keys[1]));
    CHECK(shares[index].x == direct.x);
    CHECK(shares[index].y.Equals(direct.y));
    CHECK(text.find(base::Base64Encode(direct.y.view())) == std::string::npos);
  }
}

TEST_CASE("a request serves once, and an answer serves only the request that it was made for") {
  Company company(3);
  const NewShareSet made = company.Make(2);
  ShareHandOver first = Good(ShareHandOver::Begin(RequestFor(made.files[0])));
  ShareHandOver again = Good(ShareHandOver::Begin(RequestFor(made.files[0])));
  CHECK(first.request().key != again.request().key);
  const ShareAnswer answer = Carried(Good(AnswerShareRequest(Carried(first), *company.keys[0])));
  const base::Error other = Bad(again.Take(answer));
  CHECK(other.rule == "SHARE-HAND-01");
  CHECK(other.message == "the answer is to the request " + base::HexEncode(first.digest()) + ", this one is " +
                             base::HexEncode(again.digest()));
  // Whoever says that it is the answer to this one cannot make it open.
  ShareAnswer renamed = answer;
  renamed.request = base::HexEncode(again.digest());
  CHECK(Bad(again.Take(renamed)).rule == "SHARE-HAND-03");
  Good(first.Take(answer));
  CHECK(Bad(first.Take(answer)).rule == "SHARE-HAND-04");
}

TEST_CASE("every byte of an answer counts, and a refused answer leaves the request open") {
  Company company(3);
  const NewShareSet made = company.Make(2);
  ShareHandOver hand_over = Good(ShareHandOver::Begin(RequestFor(made.files[0])));
  const ShareAnswer answer = Good(AnswerShareRequest(Carried(hand_over), *company.keys[0]));
  for (std::size_t i = 0; i < answer.sealed.at(Pin::kUser).ciphertext.size(); ++i) {
    ShareAnswer changed = answer;
    changed.sealed[Pin::kUser].ciphertext[i] ^= 1;
    CHECK(Bad(hand_over.Take(changed)).rule == "SHARE-HAND-03");
  }
  for (std::size_t i = 0; i < 65; ++i) {
    ShareAnswer changed = answer;
    changed.sealed[Pin::kUser].enc[i] ^= 1;
    CHECK(Bad(hand_over.Take(changed)).rule == "SHARE-HAND-03");
  }
  ShareAnswer of_bob = answer;
  of_bob.holder = "p2";
  CHECK(Bad(hand_over.Take(of_bob)).rule == "SHARE-HAND-02");
  ShareAnswer half = answer;
  half.sealed.clear();
  CHECK(Bad(hand_over.Take(half)).message == "the answer of p1 has no share of the user PIN");
  Good(hand_over.Take(answer));
}

TEST_CASE("what is sealed to the request must be the share that the record knows") {
  Company company(3);
  const NewShareSet made = company.Make(2);
  const NewShareSet other = company.Make(2, 2);
  ShareHandOver hand_over = Good(ShareHandOver::Begin(RequestFor(made.files[0])));
  const base::PublicKey key = Good(base::PublicKey::FromSpki(hand_over.request().key));
  // An attacker who has the request seals a share of another set, as the answer is sealed.
  const base::SecretBytes wrong = Good(OpenSalted(other.files[0], Pin::kUser, *company.keys[0]));
  const std::string digest = base::HexEncode(hand_over.digest());
  ShareAnswer forged{digest, "p1", {}};
  forged.sealed[Pin::kUser] = Good(HpkeSeal(key, base::AsBytes("keyceremony-share-answer/1\n" + digest + "\nuser"),
                                            base::AsBytes(made.files[0].user.commitment), wrong));
  CHECK(Bad(hand_over.Take(forged)).rule == "SHARE-SEAL-02");
}

TEST_CASE("whoever puts a key of their own into a request changes the words") {
  Company company(3);
  const NewShareSet made = company.Make(2);
  ShareHandOver hand_over = Good(ShareHandOver::Begin(RequestFor(made.files[0])));
  const base::Sha256Digest shown = hand_over.digest();
  const auto differs = [&](const auto& change) {
    ShareRequest request = Carried(hand_over);
    change(request);
    return Good(DigestOf(request)) != shown;
  };
  const auto mallory = Good(SoftwareAgreementKey::Generate());
  const base::Bytes key(mallory->public_key().spki().begin(), mallory->public_key().spki().end());
  CHECK_FALSE(differs([](ShareRequest&) {}));
  CHECK(differs([&](ShareRequest& r) { r.key = key; }));
  CHECK(differs([](ShareRequest& r) { r.origin.back() = r.origin.back() == '0' ? '1' : '0'; }));
  CHECK(differs([](ShareRequest& r) { r.mode = "rehearsal"; }));
  CHECK(differs([](ShareRequest& r) { r.step = "certify-root"; }));
  CHECK(differs([](ShareRequest& r) { r.purpose = SharePurpose::kConfirm; }));
  CHECK(differs([](ShareRequest& r) { r.pins = {Pin::kSecurityOfficer}; }));
  CHECK(differs([&](ShareRequest& r) { r.share_bytes = Good(script::WriteShare(made.files[1])); }));
}

TEST_CASE("a request for somebody else's share does not open with this key, and a damaged one is no request") {
  Company company(3);
  const NewShareSet made = company.Make(2);
  ShareHandOver hand_over = Good(ShareHandOver::Begin(RequestFor(made.files[0])));
  CHECK(Bad(AnswerShareRequest(Carried(hand_over), *company.keys[1])).rule == "SHARE-KEY-01");
  const std::string text = Good(WriteShareRequest(hand_over.request()));
  const auto broken = [&](const char* member, const nlohmann::json& value) {
    nlohmann::json file = nlohmann::json::parse(text);
    file[member] = value;
    return Bad(ParseShareRequest(Loaded(file.dump())));
  };
  CHECK(broken("share", "e30=").code == base::ErrorCode::kInvalidInput);
  CHECK(broken("key", "AAAA").code == base::ErrorCode::kInvalidInput);
  CHECK(broken("pins", nlohmann::json::array()).code == base::ErrorCode::kInvalidInput);
  CHECK(broken("origin", "nowhere").code == base::ErrorCode::kInvalidInput);
  CHECK(broken("more", 1).message.find("more") != std::string::npos);
}

TEST_CASE("a request that the record does not hold is refused on the holder's machine [SHARE-HAND-06] [CRED-14]") {
  Company company(3);
  ShareHandOver hand_over = Good(ShareHandOver::Begin(RequestFor(company.Make(2).files[0])));
  const std::string origin = hand_over.request().origin;
  CHECK(Bad(CheckShareRequest(Carried(hand_over))).rule == "CRED-14");

  hand_over.SetProof(ProofFrom(LogWith(hand_over), origin));
  const ShareRequest carried = Carried(hand_over);
  CHECK(Good(DigestOf(carried)) == hand_over.digest());
  CHECK(Good(CheckShareRequest(carried)).size == 2);

  const std::pair<const char*, const char*> lies[] = {
      {"type", "note"}, {"mode", "rehearsal"}, {"what", "share-handed-over"}, {"token", "other-hsm"}, {"set", "other"},
      {"person", "p2"}, {"request", "0123"}};
  for (const auto& [name, value] : lies) {
    hand_over.SetProof(ProofFrom(LogWith(hand_over, {{name, value}}), origin));
    const base::Error refused = Bad(CheckShareRequest(Carried(hand_over)));
    CHECK(refused.rule == "SHARE-HAND-06");
    CHECK(refused.message.starts_with(std::string("entry 1 of the record has the ") + name + " " + value + ", "));
  }
  // The record of another ceremony, and an entry that is in no tree.
  const std::string other = "smki.example/root-2026/ffeeddccbbaa99887766554433221100";
  hand_over.SetProof(ProofFrom(LogWith(hand_over), other));
  CHECK(Bad(CheckShareRequest(Carried(hand_over))).rule == "SHARE-HAND-06");
  RecordProof torn = ProofFrom(LogWith(hand_over), origin);
  torn.inclusion[0][0] ^= 1;
  hand_over.SetProof(torn);
  CHECK(Bad(CheckShareRequest(Carried(hand_over))).rule == "CRED-14");
}
