// What people and the log key signed: requests, cosignatures and checkpoints.
#include <algorithm>
#include <utility>

#include "ceremony/record/log_audit.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

constexpr std::size_t kMaxMismatches = 64;
// The kind of step that its own subject may not approve.
constexpr std::string_view kRetirement = "custodian.retire";

// AddTexts takes the texts of an object by their names, those of objects in it as "name.member", and those of objects
// in a list as "name.0.member".
void AddTexts(const Scanner& object, const std::string& before, std::map<std::string, std::string>& texts) {
  for (const Member& member : object.members()) {
    const std::string name = before + std::string(member.key);
    Scanner inner;
    if (std::optional<std::string> text = DecodeString(member.value)) {
      if (name != "tbs") texts.emplace(name, std::move(*text));  // its digest is enough
    } else if (before.empty() && inner.ScanObject(member.value) == LineFault::kNone) {
      AddTexts(inner, name + ".", texts);
    } else if (const auto list = before.empty() ? DecodeArray(member.value) : std::nullopt) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        if (inner.ScanObject((*list)[i]) == LineFault::kNone)
          AddTexts(inner, name + "." + std::to_string(i) + ".", texts);
      }
    }
  }
}

}  // namespace

std::optional<Electorate> Voters::Of(std::string_view quorum) const {
  if (trust != nullptr) {
    const Trust::Quorum* const pinned = trust->Find(quorum);
    if (pinned == nullptr) return std::nullopt;
    return Electorate::OfQuorum(*pinned);
  }
  if (!policy) return std::nullopt;
  return quorum == kWitnessQuorum ? Electorate::OfPolicy(*policy) : Electorate::OfAnyNamed(*policy, 1);
}

std::optional<Electorate> Voters::Witnesses() const { return Of(kWitnessQuorum); }

std::shared_ptr<const Electorate> LogAudit::ElectorateOf(const std::string& quorum) {
  const bool is_any = options_.voters.trust == nullptr && quorum != kWitnessQuorum;
  const std::string name = is_any ? std::string() : quorum;
  if (const auto known = electorates_.find(name); known != electorates_.end()) return known->second;
  std::optional<Electorate> electorate = options_.voters.Of(quorum);
  if (!electorate) return nullptr;
  return electorates_[name] = std::make_shared<const Electorate>(std::move(*electorate));
}

bool CheckLogSignature(const Note& note, const VerifierKey& log_key, std::string_view what,
                       std::optional<std::uint64_t> entry, Findings& findings) {
  for (const SignatureLine& line : note.signatures) {
    if (!line.IsBy(log_key)) continue;
    const base::Result<void> verified = log_key.Verify(note.text, line.signature);
    if (verified.ok()) return true;
    findings.Add("SIG-LOG", entry, std::string(what) + ": the log key's signature: " + verified.error().message);
    return false;
  }
  findings.Add("SIG-LOG", entry, std::string(what) + " has no signature by the log key of " + log_key.name());
  return false;
}

std::set<std::size_t> CollectSigners(const Note& note, const VerifierKey* log_key,
                                     const std::optional<Electorate>& electorate, std::string_view what,
                                     std::optional<std::uint64_t> entry, Findings& findings) {
  std::set<std::size_t> signers;
  if (!electorate) return signers;
  for (const SignatureLine& line : note.signatures) {
    if (log_key != nullptr && line.IsBy(*log_key)) continue;
    const std::optional<std::size_t> signer = electorate->Find(line);
    if (!signer) {
      findings.Add("SIG-SIGNER", entry,
                   std::string(what) + " is signed by " + Quoted(line.name) + ", key id " +
                       base::HexEncode(line.key_id) + ", which is no known custodian's key");
      continue;
    }
    const base::Result<void> verified = electorate->keys()[*signer].Verify(note.text, line.signature);
    if (verified.ok()) {
      signers.insert(*signer);
    } else {
      findings.Add("SIG-COSIGN", entry,
                   std::string(what) + ": the signature by " + Quoted(line.name) + ": " + verified.error().message);
    }
  }
  return signers;
}

void LogAudit::OnRequest(std::uint64_t entry) {
  const std::optional<std::string> step = TextOf("step", entry);
  const std::string_view value = scanner_.Find("subject");
  const std::optional<std::string> digest = HexDigestOf("subject_sha256", entry);
  if (!step || !digest) return;
  if (base::Sha256Hex(value) != *digest) {
    findings_.Add("REC-ENTRY", entry, "subject_sha256 is not the digest of subject");
  }
  Request request;
  request.step = *step;
  request.without = DecodeString(scanner_.Find("without")).value_or("");
  if (Scanner subject; subject.ScanObject(value) == LineFault::kNone) {
    CheckSubject(*step, subject, entry);
    CheckRetired(request, subject, entry);
    request.to_be_signed = DecodeString(subject.Find("tbs_sha256")).value_or("");
    AddTexts(subject, "", request.subject);
  }
  if (const auto values = DecodeArray(scanner_.Find("steps"))) {
    for (const std::string_view covered : *values) {
      if (std::optional<std::string> id = DecodeString(covered)) request.steps.push_back(std::move(*id));
    }
  }
  if (!TakeQuorum(request, entry)) return;
  requests_.insert_or_assign(entry, std::move(request));
  newest_request_[*step] = entry;
  if (step_ && step_->id == *step) past_[*step].asked.push_back(entry);
  asked_request_ = entry;
}

// CheckSubject: what people were shown is what they approved by its digest, and an opening is that of this record.
void LogAudit::CheckSubject(const std::string& step, const Scanner& subject, std::uint64_t entry) {
  const std::optional<std::string> shown = DecodeString(subject.Find("tbs"));
  const std::optional<std::string> digest = DecodeString(subject.Find("tbs_sha256"));
  if (shown && digest) {
    const base::Result<base::Bytes> bytes = base::Base64Decode(*shown);
    if (!bytes.ok() || base::Sha256Hex(*bytes) != *digest)
      findings_.Add("QUO-SUBJECT", entry, "the bytes that were shown, \"tbs\", have another digest than tbs_sha256");
  }
  if (step != kOpeningRequest) return;
  const std::string_view script = subject.Find("script_sha256");
  if (plan_ != nullptr && !script.empty() && script != "\"" + plan_->sha256() + "\"") {
    findings_.Add("SCR-OPEN", entry,
                  "the opening was approved for the script " + std::string(script) + ", the record has \"" +
                      plan_->sha256() + "\"");
  }
  const auto same = [&](std::string_view field, const std::string& own) {
    const std::optional<std::string> said = DecodeString(subject.Find(field));
    if (!said || *said == own) return;
    findings_.Add("QUO-SUBJECT", entry,
                  "the opening was approved for the " + std::string(field) + " " + Quoted(*said) + ", the record has " +
                      Quoted(own));
  };
  same("origin", origin_);
  same("ceremony", ceremony_);
  if (mode_) same("mode", std::string(ModeName(*mode_)));
  same("environment", environment_);
  if (log_key_) same("log_key", base::Base64Encode(log_key_->public_key().spki()));
}

// CheckRetired: whoever is to be retired does not count, whatever the request says.
void LogAudit::CheckRetired(Request& request, const Scanner& subject, std::uint64_t entry) {
  const auto planned = plan_ == nullptr ? std::nullopt : plan_->IndexOf(request.step);
  if (!planned || plan_->steps()[*planned].kind != kRetirement) return;
  std::string retired = DecodeString(subject.Find("person")).value_or("");
  if (request.without == retired) return;
  findings_.Add("QUO-SELF", entry,
                "the request to retire " + Quoted(retired) + " is not asked without them, but without " +
                    (request.without.empty() ? std::string("nobody") : Quoted(request.without)));
  request.without = std::move(retired);
}

// TakeQuorum is false when nobody can be counted.
bool LogAudit::TakeQuorum(Request& request, std::uint64_t entry) {
  const std::string_view value = scanner_.Find("quorum");
  std::optional<std::string> name;
  std::optional<std::int64_t> m;
  bool is_n_wrong = false;
  if (Scanner quorum; !value.empty() && quorum.ScanObject(value) == LineFault::kNone) {
    name = DecodeString(quorum.Find("name"));
    m = DecodeInteger(quorum.Find("m"));
    const std::string_view n = quorum.Find("n");
    is_n_wrong = !n.empty() && !DecodeInteger(n);
  }
  if (!name || !m || *m < 1) {
    findings_.Add("REC-ENTRY", entry, "the field \"quorum\" is not an object with name and m");
    return false;
  }
  if (is_n_wrong) findings_.Add("REC-ENTRY", entry, "\"n\" of the field \"quorum\" is not a number");
  request.electorate = ElectorateOf(*name);
  if (request.electorate == nullptr) {
    // Without roster and policy nobody can be counted; REC-NO-POLICY says so.
    if (options_.voters.trust != nullptr)
      findings_.Add("QUO-REQUEST", entry, "the roster has no quorum " + Quoted(*name));
    return false;
  }
  const std::uint64_t asked = static_cast<std::uint64_t>(*m);
  const std::uint64_t least = request.electorate->m();
  if (asked < least) {
    findings_.Add("QUO-REQUEST", entry,
                  "the request asks for " + std::to_string(asked) + " approvals where the quorum " + Quoted(*name) +
                      " is " + std::to_string(least));
  }
  request.quorum = std::move(*name);
  request.needed = std::max(asked, least);
  return true;
}

void LogAudit::OnCosign(std::uint64_t entry) {
  const std::optional<std::string> person = TextOf("person", entry);
  const std::optional<std::uint64_t> request_entry = NumberOf("request", entry);
  const std::optional<std::uint64_t> size = NumberOf("size", entry);
  const std::optional<std::string> text = TextOf("line", entry);
  if (!person || !request_entry || !size || !text) return;
  const base::Result<SignatureLine> line = SignatureLine::Parse(*text);
  if (!line.ok()) {
    findings_.Add("SIG-NOTE", entry, "the field \"line\": " + line.error().message);
    return;
  }
  const auto request = requests_.find(*request_entry);
  const auto covered = signed_.find(*size);
  if (request == requests_.end()) {
    if (witnesses_) {
      findings_.Add("QUO-REQUEST", entry, "entry " + std::to_string(*request_entry) + " is no request to approve");
    }
    return;
  }
  if (covered == signed_.end() || *size <= *request_entry) {
    findings_.Add(
        "QUO-REQUEST", entry,
        "size " + std::to_string(*size) + " is no checkpoint that covers request " + std::to_string(*request_entry));
    return;
  }
  // A cosignature approves one request: the last one before the first checkpoint that covers it.
  if (covered->second.request != request_entry) {
    findings_.Add("QUO-REQUEST", entry,
                  "the checkpoint of size " + std::to_string(*size) + " does not stand for request " +
                      std::to_string(*request_entry) + " alone");
    return;
  }
  const Electorate& electorate = *request->second.electorate;
  const std::optional<std::size_t> signer = electorate.Find(*line);
  if (!signer || electorate.keys()[*signer].name() != PersonKeyName(estate_, *person)) {
    findings_.Add("QUO-PERSON", entry,
                  Quoted(*person) + " with a signature by " + Quoted(line->name) + ", key id " +
                      base::HexEncode(line->key_id) + ", is nobody of the quorum that was asked");
    return;
  }
  const Checkpoint checkpoint{origin_, *size, covered->second.root};
  const base::Result<void> verified = electorate.keys()[*signer].Verify(checkpoint.Text(), line->signature);
  if (!verified.ok()) {
    findings_.Add("SIG-COSIGN", entry, "the signature by " + Quoted(line->name) + ": " + verified.error().message);
    return;
  }
  if (!request->second.without.empty() && *person == request->second.without) {
    findings_.Add("QUO-SELF", entry, Quoted(*person) + " approves what is about themselves");
    return;
  }
  if (request->second.ended) {
    findings_.Add("QUO-ENDED", entry,
                  "request " + std::to_string(*request_entry) + " was over when " + Quoted(*person) + " approved it");
    return;
  }
  if (IsAbsent(*person)) {
    findings_.Add("QUO-ABSENT", entry, Quoted(*person) + " had departed, and the approval does not count");
    return;
  }
  if (!request->second.approvals.insert(*signer).second) {
    findings_.Add("QUO-TWICE", entry,
                  Quoted(*person) + " has approved request " + std::to_string(*request_entry) + " before");
  }
  if (first_signed_ == *size && witnesses_) {
    if (calls_.last() && !witnesses_->IsEnough(opening_approvals_))
      findings_.Add("QUO-INTENT", entry, Quoted(*person) + " opens the ceremony after the first call was made");
    if (const std::optional<std::size_t> witness = witnesses_->Find(*line)) opening_approvals_.insert(*witness);
  }
}

void LogAudit::OnCheckpoint(std::uint64_t entry) {
  const std::optional<std::string> text = TextOf("note", entry);
  if (!text || !log_key_) return;
  const base::Result<Note> note = Note::Parse(*text);
  if (!note.ok()) {
    findings_.Add("SIG-NOTE", entry, "the field \"note\": " + note.error().message);
    return;
  }
  const base::Result<Checkpoint> checkpoint = Checkpoint::Parse(note->text);
  if (!checkpoint.ok()) {
    findings_.Add("REC-CHECKPOINT", entry, checkpoint.error().message);
    return;
  }
  if (checkpoint->origin != origin_) {
    findings_.Add("REC-ORIGIN", entry,
                  "the checkpoint is of " + Quoted(checkpoint->origin) + ", the record is " + Quoted(origin_));
    return;
  }
  if (!CheckLogSignature(*note, *log_key_, "the checkpoint", entry, findings_)) return;
  const std::set<std::size_t> signers =
      CollectSigners(*note, &*log_key_, witnesses_, "the checkpoint", entry, findings_);
  if (checkpoint->size != entry) {
    findings_.Add("REC-CHECKPOINT", entry,
                  "the checkpoint covers " + std::to_string(checkpoint->size) + " entries, but " +
                      std::to_string(entry) + " stand before it");
    return;
  }
  unsigned_step_.clear();
  signed_[checkpoint->size] = {checkpoint->root, std::exchange(asked_request_, std::nullopt)};
  if (!first_signed_) {
    first_signed_ = checkpoint->size;
    opening_approvals_ = signers;
  }
  if (checkpoint->root != tree_.Root()) {
    if (mismatches_.size() < kMaxMismatches) mismatches_.push_back({*checkpoint, entry});
    return;
  }
  last_checkpoint_ = *checkpoint;
  last_good_ = entry;
}

}  // namespace ceremony::record
