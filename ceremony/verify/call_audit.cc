#include "ceremony/verify/call_audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "ceremony/record/log_audit.h"
#include "ceremony/x509/copy_proof.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/public_key.h"
#include "hsm/base/rsa_numbers.h"

namespace ceremony::verify {
namespace {

using record::DecodeString;
using record::Quoted;
using Name = std::string_view;

// What a crash has left is removed within the step that it cut off, so all of them can destroy.
constexpr Name kRemoves[] = {"C_DestroyObject"};
constexpr Name kInitialises[] = {"C_InitToken", "C_InitPIN", "C_SetPIN", "C_DestroyObject"};
constexpr Name kSetsPins[] = {"C_SetPIN", "C_InitPIN", "C_DestroyObject"};
constexpr Name kMakes[] = {"C_GenerateKeyPair", "C_CreateObject", "C_SetAttributeValue", "C_DestroyObject"};
constexpr Name kSigns[] = {"C_Sign", "C_DestroyObject"};
constexpr Name kSeals[] = {"C_GenerateKey", "C_GenerateKeyPair", "C_CreateObject",      "C_WrapKey",
                           "C_UnwrapKey",   "C_DeriveKey",       "C_SetAttributeValue", "C_DestroyObject"};
constexpr Name kCopies[] = {"C_GenerateKey", "C_GenerateKeyPair",   "C_CreateObject",  "C_WrapKey", "C_UnwrapKey",
                            "C_DeriveKey",   "C_SetAttributeValue", "C_DestroyObject", "C_Sign"};

constexpr Name kLodged[] = {"document-lodged"};
constexpr Name kAppointed[] = {"person-appointed"};
constexpr Name kRetired[] = {"person-retired"};
constexpr Name kRegistered[] = {"token-registered"};
constexpr Name kCommissioned[] = {"token-commissioned", "token-registered", "shares-issued"};
constexpr Name kVerified[] = {"token-verified"};
constexpr Name kMoved[] = {"seals-changed", "token-moved"};
constexpr Name kTokenRetired[] = {"token-retired"};
constexpr Name kFirmware[] = {"firmware-changed"};
constexpr Name kCreated[] = {"key-created"};
constexpr Name kCloned[] = {"key-cloned"};
constexpr Name kTransport[] = {"transport-key-created"};
constexpr Name kExported[] = {"key-exported"};
constexpr Name kSealed[] = {"key-sealed"};
constexpr Name kDeactivated[] = {"key-usage-stated", "key-deactivated", "key-compromised"};
constexpr Name kDestroyed[] = {"copy-destroyed", "key-destroyed"};
constexpr Name kCertified[] = {"certificate-issued"};
constexpr Name kRequested[] = {"request-created"};
constexpr Name kImported[] = {"key-imported"};
constexpr Name kListed[] = {"certificate-revoked", "crl-issued"};
constexpr Name kShares[] = {"shares-issued"};

// Steps about people and papers make no call today; a card of theirs in the room could change that.
constexpr KindRow kKinds[] = {
    {"room.attend", {}, {}},
    {"room.depart", {}, {}},
    {"room.clock", {}, {}},
    {"room.confirm", {}, {}},
    {"room.record", {}, {}},
    {"comms.notify", kRemoves, {}},
    {"document.lodge", kRemoves, kLodged},
    {"custodian.appoint", kRemoves, kAppointed},
    {"custodian.retire", kRemoves, kRetired},
    {"token.register", {}, kRegistered},
    {"token.commission", kInitialises, kCommissioned},
    {"token.verify", {}, kVerified},
    {"token.role", {}, kRegistered},
    {"token.custody", {}, kMoved},
    {"token.retire", kInitialises, kTokenRetired},
    {"firmware.record", kSigns, kFirmware, Signs::kSurvival},
    {"key.generate", kMakes, kCreated},
    {"key.clone", kCopies, kCloned, Signs::kProof},
    {"key.transport", kMakes, kTransport},
    {"key.export", kSeals, kExported},
    {"key.import", kCopies, kCloned, Signs::kProof},
    {"key.prove", kSigns, {}, Signs::kProof},
    {"key.seal", kSeals, kSealed},
    {"key.deactivate", kRemoves, kDeactivated},
    {"key.destroy", kRemoves, kDestroyed},
    {"cert.self-sign", kSigns, kCertified},
    {"cert.issue", kSigns, kCertified},
    {"cert.cross-sign", kSigns, kCertified},
    {"csr.create", kSigns, kRequested},
    {"csr.import", {}, kImported},
    {"crl.issue", kSigns, kListed},
    {"payload.sign", kSigns, kLodged, Signs::kFile},
    {"quorum.reshare", kSetsPins, kShares},
};

std::string TextOf(const record::Scanner& object, std::string_view field) {
  return DecodeString(object.Find(field)).value_or("");
}

// Misread compares what was read back with the template that was asked for, attribute by attribute.
std::string Misread(const std::string& intended, const record::Scanner& done) {
  record::Scanner asked, got;
  if (asked.ScanObject(intended) != record::LineFault::kNone ||
      got.ScanObject(done.Find("attributes")) != record::LineFault::kNone)
    return {};
  constexpr Name kSensitive = "private.CKA_SENSITIVE";
  if (TextOf(got, kSensitive) == "false") return "private.CKA_SENSITIVE is false";
  if (!got.members().empty() && got.Find(kSensitive).empty() && !asked.Find(kSensitive).empty())
    return "private.CKA_SENSITIVE was not read back";
  for (const record::Member& member : asked.members()) {
    const std::string_view read = got.Find(member.key);
    if (!read.empty() && read != member.value)
      return fmt::format("{} is {} where {} was asked for", member.key, read, member.value);
  }
  return {};
}

base::Bytes BytesIn(const record::Scanner& attributes, Name name) {
  auto bytes = base::HexDecode(TextOf(attributes, name));
  return bytes.ok() ? std::move(bytes).value() : base::Bytes();
}

// IsOf: the numbers that a token shows of a public key are those of that key. PKCS#11 has a point in an OCTET STRING;
// some tokens show it bare. What is not shown is not compared.
bool IsOf(const base::PublicKey& key, const record::Scanner& attributes) {
  base::Bytes modulus = BytesIn(attributes, "public.CKA_MODULUS");
  base::Bytes exponent = BytesIn(attributes, "public.CKA_PUBLIC_EXPONENT");
  if (!modulus.empty() || !exponent.empty()) {
    const base::RsaNumbers own = base::RsaNumbersOf(key);
    if (modulus.empty()) modulus = own.modulus;
    if (exponent.empty()) exponent = own.exponent;
    const auto shown = base::PublicKey::FromRsa(modulus, exponent);
    return shown.ok() && *shown == key;
  }
  const base::Bytes shown = BytesIn(attributes, "public.CKA_EC_POINT");
  if (shown.empty()) return true;
  constexpr std::size_t kEd25519 = 32;
  base::Bytes point = key.EcPoint();
  if (key.algorithm() == base::KeyAlgorithm::kEd25519) point.assign(key.spki().end() - kEd25519, key.spki().end());
  if (point == shown) return true;
  constexpr std::uint8_t kOctetString = 0x04, kLong = 0x81;
  base::Bytes wrapped = {kOctetString};
  if (point.size() >= 0x80) wrapped.push_back(kLong);
  wrapped.push_back(static_cast<std::uint8_t>(point.size()));
  wrapped.insert(wrapped.end(), point.begin(), point.end());
  return wrapped == shown;
}

// MisreadKey compares the public key that a call gave with what was read back of it.
std::string MisreadKey(base::ByteView spki, const record::Scanner& attributes) {
  const auto key = base::PublicKey::FromSpki(spki);
  if (!key.ok()) return "what came out is no public key: " + key.error().message;
  return IsOf(*key, attributes) ? std::string()
                                : fmt::format("the token shows another public key than {}", base::Sha256Hex(spki));
}

// UnapprovedOf compares one half of the pair, "private." or "public.", if its quorum was shown that.
std::string UnapprovedOf(Name half, const record::Scanner& asked, const std::map<std::string, std::string>& subject) {
  const auto begin = subject.lower_bound(std::string(half));
  if (begin == subject.end() || !begin->first.starts_with(half)) return {};
  for (const record::Member& member : asked.members()) {
    if (!member.key.starts_with(half)) continue;
    const auto approved = subject.find(std::string(member.key));
    const std::string value = DecodeString(member.value).value_or("");
    if (approved == subject.end())
      return fmt::format("{} {}, of which its quorum was not told", member.key, Quoted(value));
    if (approved->second != value)
      return fmt::format("{} {}, and its quorum approved {}", member.key, Quoted(value), Quoted(approved->second));
  }
  for (auto approved = begin; approved != subject.end() && approved->first.starts_with(half); ++approved) {
    if (asked.Find(approved->first).empty())
      return fmt::format("no {}, and its quorum approved {}", approved->first, Quoted(approved->second));
  }
  return {};
}

// Unapproved compares what a key pair is asked for with the templates that its quorum was shown.
std::string Unapproved(const record::Scanner& intent, const std::map<std::string, std::string>& subject) {
  record::Scanner asked;
  if (asked.ScanObject(intent.Find("template")) != record::LineFault::kNone) return {};
  std::string unapproved = UnapprovedOf("private.", asked, subject);
  return unapproved.empty() ? UnapprovedOf("public.", asked, subject) : unapproved;
}

// ObjectIdOf: what is destroyed is named in words, `private key "root" (id 01ab)`.
std::string ObjectIdOf(const record::Scanner& intent) {
  constexpr Name kBegin = "(id ";
  std::string id = TextOf(intent, "object_id");
  const std::string object = TextOf(intent, "object");
  const std::size_t begin = object.rfind(kBegin);
  if (id.empty() && begin != std::string::npos && object.ends_with(')'))
    id = object.substr(begin + kBegin.size(), object.size() - begin - kBegin.size() - 1);
  return id;
}

bool Makes(const KindRow& row, Name function) {
  return std::find(row.calls.begin(), row.calls.end(), function) != row.calls.end();
}

// IsSurvival: a text of five lines that calls itself the survival of a key.
bool IsSurvival(base::ByteView bytes) {
  const Name text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.starts_with("keyceremony survival of a key\n") && text.ends_with('\n') &&
         std::count(text.begin(), text.end(), '\n') == 5;
}

// WhyNoProof says, of a call for which nobody could approve the bytes, why they are not what they are to be; empty when
// they are. A proof is of the key that was approved and of the token that is called.
std::string WhyNoProof(Signs signs, const record::Scanner& intent, const std::map<std::string, std::string>* subject) {
  const auto input = base::Base64Decode(TextOf(intent, "input"));
  if (!input.ok() || input->empty()) return "which neither an approval nor the call itself has";
  if (const std::string digest = base::Sha256Hex(*input); digest != TextOf(intent, "input_sha256"))
    return fmt::format("and has the input {}", digest);
  if (signs == Signs::kSurvival) return IsSurvival(*input) ? "" : "which are no statement on the survival of a key";
  const auto proof = x509::ReadCopyProof(*input);
  if (!proof) return "which are no proof of copy";
  if (const std::string serial = TextOf(intent, "serial"); !serial.empty() && serial != proof->serial)
    return fmt::format("a proof for the token {}, on the token {}", Quoted(proof->serial), Quoted(serial));
  if (subject == nullptr) return {};
  const std::pair<const char*, std::string> own[] = {
      {"spki_sha256", proof->spki_sha256}, {"proof", proof->is_request ? "certification-request" : "statement"}};
  for (const auto& [name, is] : own) {
    const auto approved = subject->find(name);
    if (approved != subject->end() && approved->second != is) {
      return fmt::format("a proof with the {} {}, and its quorum approved {}", name, Quoted(is),
                         Quoted(approved->second));
    }
  }
  return {};
}

// Removals are the objects that were destroyed by later calls than the one that is looked at.
class Removals final {
 public:
  void Add(const std::string& token, const std::string& object_id) { left_.emplace(token, object_id); }
  // Take tells whether one of them may have been of a key pair on that token; it stands for no other then. An id that
  // a record does not say may be any.
  bool Take(const std::string& token, const std::string& object_id) {
    auto found = left_.find({token, object_id});
    if (found == left_.end()) found = left_.find({token, ""});
    if (found == left_.end() && object_id.empty()) found = left_.lower_bound({token, ""});
    if (found == left_.end() || found->first != token) return false;
    left_.erase(found);
    return true;
  }

 private:
  std::multiset<std::pair<std::string, std::string>> left_;  // token and CKA_ID
};

}  // namespace

const KindRow* FindKind(std::string_view kind) {
  const auto* found =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const KindRow& row) { return row.kind == kind; });
  return found == std::end(kKinds) ? nullptr : found;
}

std::optional<std::pair<std::string, std::string>> CallAudit::PrivateObjectOf(const record::Scanner& intent) {
  if (TextOf(intent, "fn") != "C_DestroyObject" || TextOf(intent, "object").starts_with("public key"))
    return std::nullopt;
  return std::pair(TextOf(intent, "token"), ObjectIdOf(intent));
}

void CallAudit::OnCall(const record::CallingStep& step, const record::Scanner& call, std::uint64_t entry,
                       record::Findings& findings) {
  const std::int64_t number = record::DecodeInteger(call.Find("call")).value_or(-1);
  std::vector<Call>& calls = steps_[std::string(step.id)].calls;
  if (call.fields().type == record::EntryType::kIntent) {
    if (!calls.empty() && calls.back().number >= number) return;  // REC-CALL says so
    Call& made = calls.emplace_back();
    made.number = number;
    made.attempt = step.attempt;
    made.function = TextOf(call, "fn");
    made.token = TextOf(call, "token");
    made.input_sha256 = TextOf(call, "input_sha256");
    made.object_id = ObjectIdOf(call);
    made.is_of_public_key = TextOf(call, "object").starts_with("public key");
    if (made.function == "C_GenerateKeyPair" && step.subject != nullptr)
      made.unapproved = Unapproved(call, *step.subject);
    if (const Name mechanism = call.Find("mechanism"), asked = call.Find("template");
        !mechanism.empty() || !asked.empty())
      made.asked = std::make_unique<std::pair<std::string, std::string>>(mechanism, asked);
    CheckInput(step, made, call, entry, findings);
    const KindRow* row = FindKind(step.kind);
    if (row != nullptr && !Makes(*row, made.function)) {
      findings.Add(
          "CALL-KIND", entry,
          fmt::format("step {} calls {} on {}, and a {} calls {}", Quoted(step.id), made.function, Quoted(made.token),
                      step.kind, row->calls.empty() ? "nothing" : fmt::format("{}", fmt::join(row->calls, ", "))));
    }
    return;
  }
  const auto made = std::lower_bound(calls.begin(), calls.end(), number,
                                     [](const Call& c, std::int64_t wanted) { return c.number < wanted; });
  if (made == calls.end() || made->number != number) return;  // of another step
  made->is_done = true;
  made->succeeded = TextOf(call, "rv") == "CKR_OK";
  const auto asked = std::move(made->asked);
  if (asked != nullptr) {
    CheckSame(number, "mechanism", asked->first, call, entry, findings);
    CheckSame(number, "template", asked->second, call, entry, findings);
  }
  if (made->function != "C_GenerateKeyPair") return;
  const auto spki = base::Base64Decode(TextOf(call, "spki"));
  if (spki.ok() && !spki->empty()) made->spki_sha256 = base::Sha256Hex(*spki);
  if (asked != nullptr) made->misread = Misread(asked->second, call);
  if (record::Scanner got; got.ScanObject(call.Find("attributes")) == record::LineFault::kNone) {
    const std::string extractable = TextOf(got, "private.CKA_EXTRACTABLE");
    if (extractable == "true" || extractable == "false") made->extractable = extractable == "true";
    if (made->misread.empty() && !made->spki_sha256.empty()) made->misread = MisreadKey(*spki, got);
    made->is_from_elsewhere = TextOf(got, "private.CKA_LOCAL") == "false";
  }
}

void CallAudit::CheckSame(std::int64_t number, std::string_view field, const std::string& asked,
                          const record::Scanner& done, std::uint64_t entry, record::Findings& findings) {
  const std::string_view told = done.Find(field);
  if (asked.empty() || told.empty() || asked == told) return;
  findings.Add("REC-CALL", entry,
               fmt::format("done of call {} has the {} {}, its intent {}", number, field, Quoted(told), Quoted(asked)));
}

// CheckInput: an approval serves one attempt, and so do the bytes that it is about.
void CallAudit::CheckInput(const record::CallingStep& step, const Call& call, const record::Scanner& intent,
                           std::uint64_t entry, record::Findings& findings) {
  const KindRow* row = FindKind(step.kind);
  if (call.function != "C_Sign" || row == nullptr || !Makes(*row, "C_Sign")) return;
  const auto wrong = [&](const std::string& why) {
    findings.Add("CALL-SIGN", entry, fmt::format("step {} signs {}, {}", Quoted(step.id), BytesOf(call), why));
  };
  if (row->signs == Signs::kProof || row->signs == Signs::kSurvival) {
    if (const std::string why = WhyNoProof(row->signs, intent, step.subject); !why.empty()) wrong(why);
    return;
  }
  if (step.lacks_approval) wrong("which nobody was asked to approve");
  if (step.subject == nullptr) return;
  const auto approved = step.subject->find(row->signs == Signs::kFile ? "sha256" : "tbs_sha256");
  if (approved == step.subject->end())
    wrong("and its quorum was asked for nothing to be signed at this attempt");
  else if (approved->second != call.input_sha256)
    wrong(fmt::format("and its quorum was asked for {} at this attempt", Quoted(approved->second)));
}

void CallAudit::CheckKey(const record::EndedStep& step, const std::string& what, const std::string& spki_sha256,
                         const std::string& token, std::string_view extractable, record::Findings& findings) {
  if (FindKind(step.kind) == nullptr) return;
  // The call that gave this very key; else one of which the record does not say what it gave.
  Call* made = nullptr;
  if (const auto known = steps_.find(step.id); known != steps_.end()) {
    for (Call& call : known->second.calls) {
      if (call.function != "C_GenerateKeyPair" || !call.succeeded || call.token != token) continue;
      if (call.spki_sha256 == spki_sha256 || (made == nullptr && call.spki_sha256.empty())) made = &call;
    }
  }
  if (made != nullptr) {
    made->explained = true;
    if (!made->misread.empty()) findings.Add("CALL-READ", step.entry, what + ": " + made->misread);
    if (made->is_from_elsewhere)
      findings.Add("CALL-LOCAL", step.entry, what + " has CKA_LOCAL false, as a key that came from elsewhere");
    if (!extractable.empty() && made->extractable && (extractable == "true") != *made->extractable) {
      findings.Add("CALL-READ", step.entry,
                   fmt::format("{} was read back with private.CKA_EXTRACTABLE {}, its step says {}", what,
                               *made->extractable, extractable));
    }
    if (!made->unapproved.empty())
      findings.Add("QUO-SUBJECT", step.entry, what + " was asked for with " + made->unapproved);
    return;
  }
  if (step.is_partly_shown) return;  // the call may be withheld
  findings.Add("CALL-KEY", step.entry,
               fmt::format("{} has the public key {}, which no call of the step has made on {}", what, spki_sha256,
                           Quoted(token)));
}

CallAudit::Made CallAudit::WhetherMade(const record::EndedStep& step, std::string_view function,
                                       const std::string& token, const std::string& object_id) const {
  Made made = Made::kNot;
  const auto known = steps_.find(step.id);
  if (known == steps_.end()) return made;
  for (const Call& call : known->second.calls) {
    if (call.function != function || call.token != token || call.is_of_public_key) continue;
    if (!object_id.empty() && !call.object_id.empty() && call.object_id != object_id) continue;
    if (call.succeeded || !call.is_done || call.attempt < step.attempt) return Made::kMay;
    made = Made::kFailed;
  }
  return made;
}

void CallAudit::CheckCommissioned(const record::EndedStep& step, const std::string& what, const std::string& token,
                                  record::Findings& findings) const {
  if (WhetherMade(step, "C_InitToken", token) == Made::kFailed)
    findings.Add("CALL-COPY", step.entry, what + " was not initialised: C_InitToken failed");
}

void CallAudit::CheckCloned(const record::EndedStep& step, const std::string& what, const std::string& token,
                            record::Findings& findings) {
  if (FindKind(step.kind) == nullptr || step.is_partly_shown) return;
  if (WhetherMade(step, "C_UnwrapKey", token) != Made::kMay) {
    findings.Add(
        "CALL-COPY", step.entry,
        fmt::format("{} has a copy on {}, which no C_UnwrapKey of the step has brought there", what, Quoted(token)));
  }
}

void CallAudit::CheckSigned(const record::EndedStep& step, const std::string& what, const std::string& tbs_sha256,
                            record::Findings& findings) const {
  if (FindKind(step.kind) == nullptr) return;
  const auto known = steps_.find(step.id);
  if (known != steps_.end()) {
    for (const Call& call : known->second.calls) {
      if (call.function == "C_Sign" && call.succeeded && (call.input_sha256.empty() || call.input_sha256 == tbs_sha256))
        return;
    }
  }
  if (step.is_partly_shown) return;  // the call may be withheld
  findings.Add("CALL-SIGN", step.entry,
               fmt::format("{} has the bytes {} to be signed, which no call of the step has signed", what, tbs_sha256));
}

bool CallAudit::IsSigned(const record::EndedStep& step, const std::string& tbs_sha256,
                         const std::set<std::uint64_t>& attempts) const {
  if (FindKind(step.kind) == nullptr || step.is_partly_shown) return true;
  const auto known = steps_.find(step.id);
  if (known == steps_.end()) return false;
  return std::any_of(known->second.calls.begin(), known->second.calls.end(), [&](const Call& call) {
    return call.function == "C_Sign" && call.succeeded && attempts.contains(call.attempt) &&
           (call.input_sha256.empty() || call.input_sha256 == tbs_sha256);
  });
}

void CallAudit::OnEffect(const record::EndedStep& step, const std::string& effect, const std::string& token,
                         record::Findings& findings) {
  Step& known = steps_[std::string(step.id)];
  ++known.effects;
  if (effect == "key-cloned") known.cloned.insert(token);
  const KindRow* row = FindKind(step.kind);
  if (row == nullptr || std::find(row->effects.begin(), row->effects.end(), effect) != row->effects.end()) return;
  findings.Add(
      "CALL-KIND", step.entry,
      fmt::format("step {} has the effect {}, which a {} cannot have", Quoted(step.id), Quoted(effect), step.kind));
}

void CallAudit::OnEnd(const record::EndedStep& step, record::Findings& findings) {
  if (FindKind(step.kind) == nullptr) return;
  // A step ends once, and nobody asks for its calls again.
  Step known;
  if (auto node = steps_.extract(std::string(step.id))) known = std::move(node.mapped());
  const bool signs = step.approved != nullptr && !step.approved->empty();
  if (signs && known.effects == 0)
    findings.Add("CALL-EFFECT", step.entry,
                 fmt::format("step {} ends without a word on what was approved for signing", Quoted(step.id)));
  Removals removals;
  for (auto call = known.calls.rbegin(); call != known.calls.rend(); ++call) {
    if (call->function == "C_DestroyObject" && call->succeeded && !call->is_of_public_key)
      removals.Add(call->token, call->object_id);
    const bool counts = call->succeeded && !step.is_partly_shown && call->attempt == step.attempt;
    if (call->function == "C_UnwrapKey" && counts && (step.kind == "key.clone" || step.kind == "key.import") &&
        !known.cloned.contains(call->token) && !removals.Take(call->token, call->object_id)) {
      findings.Add(
          "CALL-COPY", step.entry,
          fmt::format("step {} has brought a copy to {} and does not say so", Quoted(step.id), Quoted(call->token)));
    }
    // A step without a word on any effect may be of a record that says nothing of what its calls gave either.
    const bool is_named = !call->spki_sha256.empty() || known.effects > 0;
    if (call->function == "C_GenerateKeyPair" && counts && is_named && !call->explained &&
        (step.kind == "key.generate" || step.kind == "key.transport") && !removals.Take(call->token, call->object_id)) {
      findings.Add(
          "CALL-KEY", step.entry,
          fmt::format("step {} has made the key pair {} and does not say so", Quoted(step.id),
                      call->spki_sha256.empty() ? "of call " + std::to_string(call->number) : call->spki_sha256));
    }
    if (call->function == "C_Sign" && signs && !step.approved->contains(call->input_sha256)) {
      findings.Add(
          "CALL-SIGN", step.entry,
          fmt::format("step {} has signed {}, and its quorum approved others", Quoted(step.id), BytesOf(*call)));
    }
  }
}

}  // namespace ceremony::verify
