#include "ceremony/verify/call_audit.h"

#include <fmt/format.h>

#include <algorithm>
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
    Call& made = calls.emplace_back();
    made.number = number;
    made.attempt = step.attempt;
    made.function = TextOf(call, "fn");
    made.token = TextOf(call, "token");
    made.input_sha256 = TextOf(call, "input_sha256");
    if (made.function == "C_GenerateKeyPair" && step.subject != nullptr)
      made.unapproved = Unapproved(call, *step.subject);
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

void CallAudit::CheckKey(const record::EndedStep& step, const std::string& what, const std::string& spki_sha256,
                         const std::string& token, record::Findings& findings) {
  if (FindKind(step.kind) == nullptr) return;
  // The call that gave this very key; else one of which the record does not say what it gave.
  Call* made = nullptr;
  if (const auto known = steps_.find(step.id); known != steps_.end()) {
    for (Call& call : known->second.calls) {
    if (!calls.empty() && calls.back().number >= number) return;  // REC-CALL says so
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
  if (step.is_bundle) return;  // the call may be withheld
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
  if (step.is_bundle) return;  // the call may be withheld
  findings.Add("CALL-SIGN", step.entry,
               fmt::format("{} has the bytes {} to be signed, which no call of the step has signed", what, tbs_sha256));
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
  bool removed = false;  // by a later call of the step
  for (auto call = known.calls.rbegin(); call != known.calls.rend(); ++call) {
    if (call->function == "C_DestroyObject" && call->succeeded) removed = true;
    if (call->function == "C_GenerateKeyPair" && call->succeeded && !call->explained && !removed && !step.is_bundle &&
        call->attempt == step.attempt && !call->spki_sha256.empty() &&
        (step.kind == "key.generate" || step.kind == "key.transport")) {
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
