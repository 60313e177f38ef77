#include "ceremony/verify/call_audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "ceremony/record/log_audit.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace ceremony::verify {
namespace {

using record::DecodeString;
using record::Quoted;
using Name = std::string_view;

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
    {"room.attend", false, {}},
    {"room.depart", false, {}},
    {"room.clock", false, {}},
    {"room.confirm", false, {}},
    {"room.record", false, {}},
    {"comms.notify", true, {}},
    {"document.lodge", true, kLodged},
    {"custodian.appoint", true, kAppointed},
    {"custodian.retire", true, kRetired},
    {"token.register", false, kRegistered},
    {"token.commission", true, kCommissioned},
    {"token.verify", false, kVerified},
    {"token.role", false, kRegistered},
    {"token.custody", false, kMoved},
    {"token.retire", true, kTokenRetired},
    {"firmware.record", true, kFirmware},
    {"key.generate", true, kCreated},
    {"key.clone", true, kCloned},
    {"key.transport", true, kTransport},
    {"key.export", true, kExported},
    {"key.import", true, kCloned},
    {"key.prove", true, {}},
    {"key.seal", true, kSealed},
    {"key.deactivate", true, kDeactivated},
    {"key.destroy", true, kDestroyed},
    {"cert.self-sign", true, kCertified},
    {"cert.issue", true, kCertified},
    {"cert.cross-sign", true, kCertified},
    {"csr.create", true, kRequested},
    {"csr.import", false, kImported},
    {"crl.issue", true, kListed},
    {"payload.sign", true, kLodged},
    {"quorum.reshare", true, kShares},
};

std::string TextOf(const record::Scanner& object, std::string_view field) {
  return DecodeString(object.Find(field)).value_or("");
}

// Misread compares what was read back with what was asked for, attribute by attribute.
std::string Misread(const record::Scanner& done) {
  record::Scanner asked, got;
  if (asked.ScanObject(done.Find("template")) != record::LineFault::kNone ||
      got.ScanObject(done.Find("attributes")) != record::LineFault::kNone)
    return {};
  if (TextOf(got, "private.CKA_SENSITIVE") == "false") return "private.CKA_SENSITIVE is false";
  for (const record::Member& member : asked.members()) {
    const std::string_view read = got.Find(member.key);
    if (!read.empty() && read != member.value)
      return fmt::format("{} is {} where {} was asked for", member.key, read, member.value);
  }
  return {};
}

// Unapproved compares what a key pair is asked for with the templates that its quorum was shown.
std::string Unapproved(const record::Scanner& intent, const std::map<std::string, std::string>& subject) {
  record::Scanner asked;
  if (asked.ScanObject(intent.Find("template")) != record::LineFault::kNone) return {};
  for (const record::Member& member : asked.members()) {
    const auto approved = subject.find(std::string(member.key));
    const std::string value = DecodeString(member.value).value_or("");
    if (approved != subject.end() && approved->second != value)
      return fmt::format("{} {}, and its quorum approved {}", member.key, Quoted(value), Quoted(approved->second));
  }
  return {};
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
    CheckInput(step, made, entry, findings);
    if (const KindRow* row = FindKind(step.kind); row != nullptr && !row->calls) {
      findings.Add("CALL-KIND", entry,
                   fmt::format("step {} calls {} on {}, and a {} calls nothing", Quoted(step.id), made.function,
                               Quoted(made.token), step.kind));
    }
    return;
  }
  const auto made = std::lower_bound(calls.begin(), calls.end(), number,
                                     [](const Call& c, std::int64_t wanted) { return c.number < wanted; });
  if (made == calls.end() || made->number != number) return;  // of another step
  made->succeeded = TextOf(call, "rv") == "CKR_OK";
  if (made->function != "C_GenerateKeyPair") return;
  if (const auto spki = base::Base64Decode(TextOf(call, "spki")); spki.ok() && !spki->empty())
    made->spki_sha256 = base::Sha256Hex(*spki);
  made->misread = Misread(call);
}

// CheckInput: an approval serves one attempt, and so do the bytes that it is about.
void CallAudit::CheckInput(const record::CallingStep& step, const Call& call, std::uint64_t entry,
                           record::Findings& findings) {
  if (call.function != "C_Sign" || call.input_sha256.empty() || step.subject == nullptr) return;
  const auto approved = step.subject->find("tbs_sha256");
  if (approved == step.subject->end() || approved->second == call.input_sha256 || FindKind(step.kind) == nullptr)
    return;
  findings.Add("CALL-SIGN", entry,
               fmt::format("step {} signs the bytes {}, and its quorum was asked for {} at this attempt",
                           Quoted(step.id), call.input_sha256, Quoted(approved->second)));
}

void CallAudit::CheckKey(const record::EndedStep& step, const std::string& what, const std::string& spki_sha256,
                         const std::string& token, record::Findings& findings) {
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
    if (!made->unapproved.empty())
      findings.Add("QUO-SUBJECT", step.entry, what + " was asked for with " + made->unapproved);
    return;
  }
  if (step.is_partly_shown) return;  // the call may be withheld
  findings.Add("CALL-KEY", step.entry,
               fmt::format("{} has the public key {}, which no call of the step has made on {}", what, spki_sha256,
                           Quoted(token)));
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

void CallAudit::OnEffect(const record::EndedStep& step, const std::string& effect, record::Findings& findings) {
  ++steps_[std::string(step.id)].effects;
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
    if (call->function == "C_GenerateKeyPair" && call->succeeded && !call->explained && !step.is_partly_shown &&
        call->attempt == step.attempt && !call->spki_sha256.empty() &&
        (step.kind == "key.generate" || step.kind == "key.transport") && !removals.Take(call->token, call->object_id)) {
      findings.Add(
          "CALL-KEY", step.entry,
          fmt::format("step {} has made the key pair {} and does not say so", Quoted(step.id), call->spki_sha256));
    }
    if (call->function == "C_Sign" && signs && !call->input_sha256.empty() &&
        !step.approved->contains(call->input_sha256)) {
      findings.Add("CALL-SIGN", step.entry,
                   fmt::format("step {} has signed the bytes {}, and its quorum approved others", Quoted(step.id),
                               call->input_sha256));
    }
  }
}

}  // namespace ceremony::verify
