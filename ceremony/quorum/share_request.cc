#include "ceremony/quorum/share_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/quorum/software_agreement_key.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/record/entry.h"
#include "ceremony/script/fields.h"
#include "ceremony/script/written.h"
#include "hsm/base/encoding.h"

namespace ceremony::quorum {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using script::Field;

constexpr const char* kRequestFormat = "keyceremony-share-request/1";
constexpr const char* kAnswerFormat = "keyceremony-share-answer/1";
// Domain tags, each with a line feed that no JSON text begins with.
constexpr std::string_view kRequestTag = "keyceremony-share-request/1\n";
constexpr std::string_view kAnswerTag = "keyceremony-share-answer/1\n";
constexpr std::int64_t kMaxShareFile = std::int64_t{65536} / 3 * 4;  // in base64
constexpr std::size_t kPointBytes = 65;

constexpr std::pair<Pin, const char*> kHalves[] = {{Pin::kUser, "user"}, {Pin::kSecurityOfficer, "security_officer"}};

const script::FieldTable& RequestTable() {
  static const script::FieldTable table{
      "share request",
      "What a share holder is asked to open on a machine of their own.",
      {script::FormatField(kRequestFormat), Field::Text("origin", "the record's origin"),
       Field::Choice("mode", {{"rehearsal", ""}, {"production", ""}}, "of the record"),
       Field::Id("step", "the step that needs the share"),
       Field::Choice("purpose",
                     {{"open-token", "to put the PIN together"}, {"confirm", "to show that the share opens"}},
                     "what the share is wanted for"),
       Field::List("pins", Field::Choice("pin", {{"user", ""}, {"security-officer", ""}}, "a PIN"), 1, 2,
                   "the shares that are wanted")
           .Unique(),
       Field::Shaped("key", script::Base64Shape(), "public key for this one use: DER SubjectPublicKeyInfo, P-256")
           .Length(4, 400),
       Field::Shaped("share", script::Base64Shape(), "the sealed share file, as it is").Length(4, kMaxShareFile),
       Field::Table("record", {"record", "That the record holds this request.", RecordProofFields(), {}},
                    "the entry of this request, with its proof")
           .Optional()},
      {}};
  return table;
}

script::FieldTable SealedTable() {
  return {"sealed to the request",
          "A share, HPKE, sealed to the request's key.",
          {Field::Shaped("enc", script::Base64Shape(), "the sender's one-time public key").Length(4, 100),
           Field::Shaped("ciphertext", script::Base64Shape(), "salt and share, encrypted").Length(4, 4000)},
          {}};
}

const script::FieldTable& AnswerTable() {
  static const script::FieldTable table{
      "share answer",
      "A share that its holder has opened, sealed to the ceremony that asked for it.",
      {script::FormatField(kAnswerFormat), Field::Digest("request", "SHA-256 of the request"),
       Field::Id("holder", "whose share it is"),
       Field::Table("user", SealedTable(), "the share of the user PIN").Optional(),
       Field::Table("security_officer", SealedTable(), "the share of the security officer PIN").Optional()},
      {}};
  return table;
}

json Spelled(const ShareRequest& request) {
  json pins = json::array();
  for (const Pin pin : request.pins) pins.push_back(PinName(pin));
  return {{"format", kRequestFormat},
          {"origin", request.origin},
          {"mode", request.mode},
          {"step", request.step},
          {"pins", std::move(pins)},
          {"purpose", NameOf(request.purpose)},
          {"share", base::Base64Encode(base::AsBytes(request.share_bytes))},
          {"key", base::Base64Encode(request.key)}};
}

// What the answer to a request is sealed under, beside the commitment.
std::string InfoOf(const std::string& request, Pin pin) {
  return fmt::format("{}{}\n{}", kAnswerTag, request, PinName(pin));
}

base::Result<base::PublicKey> KeyOf(const ShareRequest& request) {
  KC_ASSIGN_OR_RETURN(base::PublicKey key, base::PublicKey::FromSpki(request.key));
  if (key.algorithm() == base::KeyAlgorithm::kEcP256) return key;
  return base::MakeError(base::ErrorCode::kInvalidInput, fmt::format("the request's key is {}, expected EC P-256",
                                                                     base::FactsOf(key.algorithm()).title));
}

}  // namespace

std::string_view NameOf(SharePurpose purpose) { return purpose == SharePurpose::kConfirm ? "confirm" : "open-token"; }

std::string_view TitleOf(SharePurpose purpose) {
  return purpose == SharePurpose::kConfirm ? "to show that you can open it; no PIN is set before"
                                           : "to put the PIN together, for one login";
}

base::Result<std::string> WriteShareRequest(const ShareRequest& request) {
  ordered_json file(Spelled(request));
  if (request.proof) file["record"] = Spelled(*request.proof);
  return script::Written(file, [](script::LoadedFile written) { return ParseShareRequest(std::move(written)); });
}

base::Result<ShareRequest> ParseShareRequest(script::LoadedFile file) {
  script::Problems problems;
  script::Document document;
  json values;
  if (!script::ParseFile(RequestTable(), file, document, values, problems)) return problems.ToError();
  ShareRequest request;
  request.origin = values.at("origin");
  request.mode = values.at("mode");
  request.step = values.at("step");
  request.purpose = values.at("purpose") == "confirm" ? SharePurpose::kConfirm : SharePurpose::kOpenToken;
  for (const json& pin : values.at("pins"))
    request.pins.push_back(pin == PinName(Pin::kUser) ? Pin::kUser : Pin::kSecurityOfficer);
  KC_ASSIGN_OR_RETURN(const base::Bytes bytes, base::Base64Decode(values.at("share").get<std::string>()));
  request.share_bytes = std::string(base::AsText(bytes));
  KC_ASSIGN_OR_RETURN(request.key, base::Base64Decode(values.at("key").get<std::string>()));
  if (const auto proof = values.find("record"); proof != values.end()) {
    KC_ASSIGN_OR_RETURN(request.proof, ReadRecordProof(*proof));
  }
  script::LoadedFile share;
  share.name = file.name + " (the share in it)";
  share.bytes = request.share_bytes;
  share.sha256 = base::Sha256Hex(request.share_bytes);
  KC_ASSIGN_OR_RETURN(request.share, script::ParseShare(std::move(share)));
  KC_RETURN_IF_ERROR(KeyOf(request));
  KC_RETURN_IF_ERROR(record::SplitOrigin(request.origin));
  return request;
}

base::Result<base::Sha256Digest> DigestOf(const ShareRequest& request) {
  KC_ASSIGN_OR_RETURN(const std::string canonical, record::CanonicaliseValue(Spelled(request)));
  return base::Sha256Of(std::string(kRequestTag) + canonical);
}

base::Result<record::Checkpoint> CheckShareRequest(const ShareRequest& request) {
  if (!request.proof) return NotProven("the request does not show that the record holds it");
  KC_ASSIGN_OR_RETURN(const ProvenEntry proven, CheckEntry(*request.proof));
  KC_ASSIGN_OR_RETURN(const base::Sha256Digest digest, DigestOf(request));
  const auto differs = [&](std::string_view what, const std::string& found, const std::string& expected) {
    return base::Refusal("SHARE-HAND-06",
                         fmt::format("entry {} of the record has the {} {}, this request {}", request.proof->index,
                                     what, found, expected),
                         "give nothing: somebody asks for your share outside the record; keep the file, and tell the "
                         "auditor");
  };
  const std::pair<const char*, std::string> facts[] = {{"type", "observe"},
                                                       {"mode", request.mode},
                                                       {"what", kAskedElsewhere},
                                                       {"token", request.share.token},
                                                       {"set", request.share.set},
                                                       {"person", request.share.holder},
                                                       {"request", base::HexEncode(digest)}};
  for (const auto& [name, expected] : facts) {
    const auto found = proven.entry.find(name);
    const std::string text = found != proven.entry.end() && found->is_string() ? found->get<std::string>() : "nothing";
    if (text != expected) return differs(name, text, expected);
  }
  if (proven.checkpoint.origin != request.origin) return differs("origin", proven.checkpoint.origin, request.origin);
  return proven.checkpoint;
}

base::Result<std::string> WriteShareAnswer(const ShareAnswer& answer) {
  ordered_json file{{"format", kAnswerFormat}, {"request", answer.request}, {"holder", answer.holder}};
  for (const auto& [pin, name] : kHalves) {
    const auto sealed = answer.sealed.find(pin);
    if (sealed == answer.sealed.end()) continue;
    file[name] = {{"enc", base::Base64Encode(sealed->second.enc)},
                  {"ciphertext", base::Base64Encode(sealed->second.ciphertext)}};
  }
  script::LoadedFile written;
  written.name = "what is to be written";
  written.bytes = file.dump() + "\n";
  written.sha256 = base::Sha256Hex(written.bytes);
  std::string bytes = written.bytes;
  KC_RETURN_IF_ERROR(ParseShareAnswer(std::move(written)));
  return bytes;
}

base::Result<ShareAnswer> ParseShareAnswer(script::LoadedFile file) {
  script::Problems problems;
  script::Document document;
  json values;
  if (!script::ParseFile(AnswerTable(), file, document, values, problems)) return problems.ToError();
  ShareAnswer answer;
  answer.request = values.at("request");
  answer.holder = values.at("holder");
  for (const auto& [pin, name] : kHalves) {
    const auto half = values.find(name);
    if (half == values.end()) continue;
    Sealed& sealed = answer.sealed[pin];
    KC_ASSIGN_OR_RETURN(sealed.enc, base::Base64Decode(half->at("enc").get<std::string>()));
    KC_ASSIGN_OR_RETURN(sealed.ciphertext, base::Base64Decode(half->at("ciphertext").get<std::string>()));
    if (sealed.enc.size() == kPointBytes) continue;
    script::AddProblem(document, *document.root().Find(name)->Find("enc"), script::PlaceOf::kValue, script::kRuleValue,
                       fmt::format("expected base64 of {} bytes, found {}", kPointBytes, sealed.enc.size()), "",
                       problems);
  }
  if (!problems.empty()) return problems.ToError();
  return answer;
}

base::Result<ShareAnswer> AnswerShareRequest(const ShareRequest& request, AgreementKey& holder) {
  KC_ASSIGN_OR_RETURN(const base::PublicKey key, KeyOf(request));
  KC_ASSIGN_OR_RETURN(const base::Sha256Digest digest, DigestOf(request));
  ShareAnswer answer{base::HexEncode(digest), request.share.holder, {}};
  for (const Pin pin : request.pins) {
    KC_ASSIGN_OR_RETURN(const base::SecretBytes salted, OpenSalted(request.share, pin, holder));
    KC_ASSIGN_OR_RETURN(answer.sealed[pin], HpkeSeal(key, base::AsBytes(InfoOf(answer.request, pin)),
                                                     base::AsBytes(HalfOf(request.share, pin).commitment), salted));
  }
  return answer;
}

ShareHandOver::ShareHandOver(ShareRequest request, base::Sha256Digest digest, base::SecretBytes key)
    : request_(std::move(request)), digest_(digest), key_(std::move(key)) {}

base::Result<ShareHandOver> ShareHandOver::Begin(ShareRequest request) {
  // libcrypto's own copy of the key ends here, cleared; what waits for people is in locked memory.
  KC_ASSIGN_OR_RETURN(const auto made, SoftwareAgreementKey::Generate());
  const base::ByteView spki = made->public_key().spki();
  request.key.assign(spki.begin(), spki.end());
  KC_ASSIGN_OR_RETURN(base::SecretBytes key, made->ToPkcs8());
  KC_ASSIGN_OR_RETURN(const base::Sha256Digest digest, DigestOf(request));
  return ShareHandOver(std::move(request), digest, std::move(key));
}

base::Result<std::vector<ShamirShare>> ShareHandOver::Take(const ShareAnswer& answer) {
  constexpr const char* kHint = "answer the request that was written last, with `keyceremony custodian open-share`";
  const std::string digest = base::HexEncode(digest_);
  if (answer.request != digest) {
    return base::Refusal("SHARE-HAND-01",
                         fmt::format("the answer is to the request {}, this one is {}", answer.request, digest), kHint);
  }
  if (answer.holder != request_.share.holder) {
    return base::Refusal("SHARE-HAND-02",
                         fmt::format("the answer is by {}, expected {}", answer.holder, request_.share.holder), kHint);
  }
  if (key_.empty())
    return base::Refusal("SHARE-HAND-04", fmt::format("the request {} was answered before", digest), kHint);
  KC_ASSIGN_OR_RETURN(const auto key, SoftwareAgreementKey::FromPkcs8(key_));
  std::vector<ShamirShare> shares;
  for (const Pin pin : request_.pins) {
    const auto sealed = answer.sealed.find(pin);
    if (sealed == answer.sealed.end()) {
      return base::Refusal("SHARE-HAND-02",
                           fmt::format("the answer of {} has no share of the {}", answer.holder, PinTitle(pin)), kHint);
    }
    auto salted = HpkeOpen(*key, sealed->second, base::AsBytes(InfoOf(digest, pin)),
                           base::AsBytes(HalfOf(request_.share, pin).commitment));
    if (!salted.ok()) {
      return base::Refusal("SHARE-HAND-03",
                           fmt::format("the share of the {} that {} handed over does not open: it was changed on the "
                                       "way",
                                       PinTitle(pin), answer.holder),
                           kHint);
    }
    KC_ASSIGN_OR_RETURN(ShamirShare share, TakeSalted(request_.share, pin, *salted));
    shares.push_back(std::move(share));
  }
  key_ = base::SecretBytes();
  return shares;
}

}  // namespace ceremony::quorum
