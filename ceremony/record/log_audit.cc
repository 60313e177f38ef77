#include "ceremony/record/log_audit.h"

#include <algorithm>

#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

constexpr std::size_t kMaxMismatches = 64;

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 80;
  return "\"" + std::string(text.substr(0, kShown)) + (text.size() > kShown ? "...\"" : "\"");
}

}  // namespace

bool IsHexDigest(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::optional<Electorate> Voters::Of(std::string_view quorum, std::size_t m) const {
  if (trust != nullptr) {
    const Trust::Quorum* const pinned = trust->Find(quorum);
    if (pinned == nullptr) return std::nullopt;
    return Electorate::OfQuorum(*pinned);
  }
  if (!policy) return std::nullopt;
  return quorum == kWitnessQuorum ? Electorate::OfPolicy(*policy) : Electorate::OfAnyNamed(*policy, m);
}

std::optional<Electorate> Voters::Witnesses() const { return Of(kWitnessQuorum, 0); }

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

LogAudit::LogAudit(Options options, Findings& findings)
    : options_(std::move(options)), findings_(findings), witnesses_(options_.voters.Witnesses()) {}

void LogAudit::Take(const ScannedBlock& block) {
  const std::uint64_t first_entry = entries_;
  if (options_.digest_file) {
    stream_.Update({reinterpret_cast<const std::uint8_t*>(block.block.buffer.data()), block.block.size});
  }
  CompareWithBefore(block, first_entry);
  auto event = block.events.begin();
  for (const Hash& leaf : block.leaves) {
    // The tree holds the entries before this one while it is looked at: what a
    // checkpoint entry covers.
    if (options_.wanted_sizes.contains(entries_)) roots_[entries_] = tree_.Root();
    const auto index = static_cast<std::uint32_t>(entries_ - first_entry);
    for (; event != block.events.end() && event->index == index; ++event) Handle(*event, entries_);
    if (close_entry_ && !after_close_ && entries_ > *close_entry_) {
      const bool final_checkpoint = entries_ == *close_entry_ + 1 && last_good_ == entries_;
      if (!final_checkpoint) after_close_ = entries_;
    }
    tree_.Append(leaf);
    ++entries_;
  }
}

void LogAudit::CompareWithBefore(const ScannedBlock& block, std::uint64_t first_entry) {
  if (!block.any_good) return;
  const std::uint64_t entry = first_entry + block.first_good;
  if (block.first_base - first_entry != base_) {
    findings_.Add("REC-SEQ", entry,
                  "the line is entry " + std::to_string(entry) + " by its place, but its seq is " +
                      std::to_string(block.first_base + block.first_good));
  }
  base_ = block.last_base - first_entry;
  if (!mode_) {
    mode_ = block.first_mode;
  } else if (*mode_ != block.first_mode) {
    findings_.Add("REC-MODE", entry, "the mode is not that of the entries before");
  }
  if (block.first_time < last_time_ || block.first_mono < last_mono_) {
    findings_.Add("REC-CLOCK", entry, "the entry says an earlier time than the one before it");
  }
  last_time_ = block.last_time;
  last_mono_ = block.last_mono;
}

void LogAudit::Handle(const LineEvent& event, std::uint64_t entry) {
  switch (event.kind) {
    case LineEvent::Kind::kFault:
      return OnFault(event, entry);
    case LineEvent::Kind::kSequence:
      findings_.Add("REC-SEQ", entry,
                    "the line is entry " + std::to_string(entry) + " by its place, but its seq is " +
                        std::to_string(event.number));
      return;
    case LineEvent::Kind::kMode:
      findings_.Add("REC-MODE", entry, "the mode is not that of the entries before");
      return;
    case LineEvent::Kind::kClock:
      findings_.Add("REC-CLOCK", entry, "the entry says an earlier time than the one before it");
      return;
    case LineEvent::Kind::kIncomplete:
      findings_.Add("REC-FIELD", entry, "the entry has no good field \"" + std::string(event.text) + "\"");
      return;
    case LineEvent::Kind::kIntent:
      return OnIntent(event, entry);
    case LineEvent::Kind::kDone:
      return OnDone(event, entry);
    case LineEvent::Kind::kEntry:
      return OnEntry(event, entry);
  }
}

void LogAudit::OnFault(const LineEvent& event, std::uint64_t entry) {
  const Rule& rule = RuleOf(event.fault);
  findings_.Add(rule.id, entry,
                "at byte " + std::to_string(event.offset) + " the line breaks the rule: " + std::string(rule.sentence));
}

void LogAudit::OnEntry(const LineEvent& event, std::uint64_t entry) {
  if (scanner_.ScanEntry(event.line) != LineFault::kNone) return;  // it was accepted before: cannot be
  if ((event.type == EntryType::kOpen) != (entry == 0)) {
    findings_.Add("REC-OPEN", entry, entry == 0 ? "the first entry is not open" : "a second open entry");
    return;
  }
  switch (event.type) {
    case EntryType::kOpen:
      return OnOpen(entry);
    case EntryType::kStep:
      return OnStep(entry);
    case EntryType::kRequest:
      return OnRequest(entry);
    case EntryType::kCosign:
      return OnCosign(entry);
    case EntryType::kArtefact:
      return OnArtefact(entry);
    case EntryType::kCheckpoint:
      return OnCheckpoint(entry);
    case EntryType::kClose:
      return OnClose(entry);
    case EntryType::kRecover:
      // The program went on after a crash: what was under way then was settled
      // by looking at the tokens.
      for (auto& [number, call] : OpenCalls()) call.settled = true;
      step_interrupted_ = step_.has_value();
      return;
    default:
      return;
  }
}

std::optional<std::string> LogAudit::TextOf(std::string_view key, std::uint64_t entry) {
  std::optional<std::string> text = DecodeString(scanner_.Find(key));
  if (!text) findings_.Add("REC-ENTRY", entry, "the field \"" + std::string(key) + "\" is not a string");
  return text;
}

std::optional<std::uint64_t> LogAudit::NumberOf(std::string_view key, std::uint64_t entry) {
  const std::optional<std::int64_t> number = DecodeInteger(scanner_.Find(key));
  if (number && *number >= 0) return static_cast<std::uint64_t>(*number);
  findings_.Add("REC-ENTRY", entry, "the field \"" + std::string(key) + "\" is not a number from 0 on");
  return std::nullopt;
}

std::optional<std::string> LogAudit::HexDigestOf(std::string_view key, std::uint64_t entry) {
  std::optional<std::string> text = DecodeString(scanner_.Find(key));
  if (text && IsHexDigest(*text)) return text;
  findings_.Add("REC-ENTRY", entry, "the field \"" + std::string(key) + "\" is not a SHA-256 in 64 hex digits");
  return std::nullopt;
}

void LogAudit::OnOpen(std::uint64_t entry) {
  const std::optional<std::string> origin = TextOf("origin", entry);
  const std::optional<std::string> ceremony = TextOf("ceremony", entry);
  const std::optional<std::string> encoded_key = TextOf("log_key", entry);
  if (!origin || !ceremony || !encoded_key) return;
  const base::Result<OriginParts> parts = SplitOrigin(*origin);
  if (!parts.ok() || parts->ceremony != *ceremony) {
    findings_.Add("REC-ORIGIN", entry,
                  "the origin " + Quoted(*origin) + " is not <estate>/" + *ceremony + "/<32 hex digits>");
    return;
  }
  const Trust* const trust = options_.voters.trust;
  if (trust != nullptr && trust->estate() != parts->estate) {
    findings_.Add(
        "REC-ORIGIN", entry,
        "the record is of the estate " + Quoted(parts->estate) + ", the roster of " + Quoted(trust->estate()));
  }
  origin_ = *origin;
  estate_ = parts->estate;
  ceremony_ = *ceremony;
  const base::Result<base::Bytes> der = base::Base64Decode(*encoded_key);
  const base::Result<base::PublicKey> key =
      der.ok() ? base::PublicKey::FromSpki(*der) : base::Result<base::PublicKey>(der.error());
  if (!key.ok() || key->algorithm() != base::KeyAlgorithm::kEcP256) {
    findings_.Add("REC-OPEN", entry, "log_key is not the base64 of a P-256 SubjectPublicKeyInfo");
  } else if (base::Result<VerifierKey> named = VerifierKey::Make(origin_, *key); named.ok()) {
    log_key_ = std::move(named).value();
  } else {
    findings_.Add("REC-OPEN", entry, "log_key: " + named.error().message);
  }
  const std::string_view previous = scanner_.Find("previous");
  const std::string_view inputs = scanner_.Find("inputs");
  OnPrevious(previous, entry);
  if (inputs.empty() || scanner_.ScanObject(inputs) != LineFault::kNone) {
    findings_.Add("REC-ENTRY", entry, "the field \"inputs\" is not an object");
    return;
  }
  for (const Member& member : scanner_.members()) {
    const std::optional<std::string_view> digest = PlainString(member.value);
    if (!digest || !IsHexDigest(*digest) || !IsSafeName(member.key)) {
      findings_.Add("REC-ENTRY", entry, "inputs/" + std::string(member.key) + " is not a file name with its SHA-256");
      continue;
    }
    inputs_[std::string(member.key)] = {std::string(*digest), std::nullopt, entry};
  }
}

void LogAudit::OnPrevious(std::string_view value, std::uint64_t entry) {
  if (value == "null") return;
  Scanner inner;
  if (inner.ScanObject(value) == LineFault::kNone) {
    const std::optional<std::string> origin = DecodeString(inner.Find("origin"));
    const std::optional<std::int64_t> size = DecodeInteger(inner.Find("size"));
    const std::optional<std::string> root = DecodeString(inner.Find("root"));
    if (origin && size && *size >= 0 && root) {
      // Bytes are hex in entries; base64 is how a checkpoint spells the same root.
      const base::Result<base::Bytes> bytes = root->size() == 64 ? base::HexDecode(*root) : base::Base64Decode(*root);
      Checkpoint previous{*origin, static_cast<std::uint64_t>(*size), {}};
      if (bytes.ok() && bytes->size() == previous.root.size()) {
        std::copy(bytes->begin(), bytes->end(), previous.root.begin());
        previous_ = std::move(previous);
        return;
      }
    }
  }
  findings_.Add("REC-ENTRY", entry, "the field \"previous\" is neither null nor origin, size and root");
}

void LogAudit::OnStep(std::uint64_t entry) {
  const std::optional<std::string> id = TextOf("id", entry);
  const std::optional<std::string> phase = TextOf("phase", entry);
  if (!id || !phase) return;
  const auto wrong = [&](const std::string& what) {
    findings_.Add("REC-STEP", entry, "step " + Quoted(*id) + " " + what);
  };
  if (*phase == "begin" || *phase == "skipped") {
    if (step_ && !step_interrupted_) wrong("has phase " + *phase + " while " + Quoted(*step_) + " has not ended");
    step_.reset();
    if (*phase == "begin") {
      step_ = *id;
      step_needs_quorum_ = !scanner_.Find("quorum").empty();
    }
  } else if (*phase == "end" || *phase == "failed") {
    if (!step_ || *step_ != *id) {
      wrong("has phase " + *phase + " but " + (step_ ? Quoted(*step_) + " is under way" : "no step is under way"));
    }
    step_.reset();
    if (*phase == "end") ++steps_ended_;
  } else {
    wrong("has the unknown phase " + Quoted(*phase));
  }
  step_interrupted_ = false;
}

void LogAudit::OnIntent(const LineEvent& event, std::uint64_t entry) {
  if (event.number == UINT64_MAX || !PlainString(event.text) || !PlainString(event.token)) {
    findings_.Add("REC-ENTRY", entry,
                  "the fields call, fn and token of an intent are a number from 0 on and two strings");
    return;
  }
  if (last_call_ && event.number <= *last_call_) {
    findings_.Add("REC-CALL", entry,
                  "intent of call " + std::to_string(event.number) + " after call " + std::to_string(*last_call_));
  }
  last_call_ = event.number;
  OpenCalls();
  newest_call_.emplace(Call{event.number, std::string(event.text), std::string(event.token), entry, false});
  if (!step_) return;
  const auto found = request_of_step_.find(*step_);
  if (found == request_of_step_.end()) {
    if (step_needs_quorum_) {
      findings_.Add("QUO-INTENT", entry, "step " + Quoted(*step_) + " goes ahead, and its quorum was never asked");
    }
    return;
  }
  const Request& request = requests_.at(found->second);
  const std::size_t people = request.electorate.CountPeople(request.approvals);
  if (people < request.needed || !request.electorate.IsEnough(request.approvals)) {
    findings_.Add("QUO-INTENT", entry,
                  "step " + Quoted(*step_) + " goes ahead with " + std::to_string(people) + " approvals where " +
                      std::to_string(request.needed) + " are needed");
  }
}

std::map<std::uint64_t, LogAudit::Call>& LogAudit::OpenCalls() {
  if (newest_call_) {
    const std::uint64_t number = newest_call_->number;
    calls_.insert_or_assign(number, std::move(*newest_call_));
    newest_call_.reset();
  }
  return calls_;
}

void LogAudit::OnDone(const LineEvent& event, std::uint64_t entry) {
  std::optional<Call> call;
  if (newest_call_ && newest_call_->number == event.number) {
    call.swap(newest_call_);
  } else if (const auto found = calls_.find(event.number); found != calls_.end()) {
    call = std::move(found->second);
    calls_.erase(found);
  } else {
    findings_.Add("REC-CALL", entry, "done without an intent of the same call");
    return;
  }
  if (call->function != event.text || call->token != event.token) {
    findings_.Add("REC-CALL", entry,
                  "done of call " + std::to_string(event.number) + " is " + std::string(event.text) + " on " +
                      std::string(event.token) + ", its intent " + call->function + " on " + call->token);
  }
}

void LogAudit::OnRequest(std::uint64_t entry) {
  const std::optional<std::string> step = TextOf("step", entry);
  const std::string_view subject = scanner_.Find("subject");
  const std::optional<std::string> subject_digest = HexDigestOf("subject_sha256", entry);
  if (!step || !subject_digest) return;
  if (base::Sha256Hex(subject) != *subject_digest) {
    findings_.Add("REC-ENTRY", entry, "subject_sha256 is not the digest of subject");
  }
  Scanner inner;
  const std::string_view quorum = scanner_.Find("quorum");
  std::optional<std::string> name;
  std::optional<std::int64_t> m;
  if (!quorum.empty() && inner.ScanObject(quorum) == LineFault::kNone) {
    name = DecodeString(inner.Find("name"));
    m = DecodeInteger(inner.Find("m"));
  }
  if (!name || !m || *m < 1) {
    findings_.Add("REC-ENTRY", entry, "the field \"quorum\" is not an object with name and m");
    return;
  }
  std::optional<Electorate> electorate = options_.voters.Of(*name, static_cast<std::size_t>(*m));
  if (!electorate) {
    // Without roster and policy nobody can be counted; REC-NO-POLICY says so.
    if (options_.voters.trust != nullptr)
      findings_.Add("QUO-REQUEST", entry, "the roster has no quorum " + Quoted(*name));
    return;
  }
  if (static_cast<std::uint64_t>(*m) < electorate->m()) {
    findings_.Add("QUO-REQUEST", entry,
                  "the request asks for " + std::to_string(*m) + " approvals where the quorum " + Quoted(*name) +
                      " is " + std::to_string(electorate->m()));
  }
  const std::uint64_t needed = std::max(static_cast<std::uint64_t>(*m), static_cast<std::uint64_t>(electorate->m()));
  requests_.insert_or_assign(entry, Request{*step, std::move(*electorate), {}, needed});
  request_of_step_[*step] = entry;
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
    if (options_.voters.Witnesses()) {
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
  const Electorate& electorate = request->second.electorate;
  const std::optional<std::size_t> signer = electorate.Find(*line);
  if (!signer || electorate.keys()[*signer].name() != PersonKeyName(estate_, *person)) {
    findings_.Add("QUO-PERSON", entry,
                  Quoted(*person) + " with a signature by " + Quoted(line->name) + ", key id " +
                      base::HexEncode(line->key_id) + ", is nobody of the quorum that was asked");
    return;
  }
  const Checkpoint checkpoint{origin_, *size, covered->second};
  const base::Result<void> verified = electorate.keys()[*signer].Verify(checkpoint.Text(), line->signature);
  if (!verified.ok()) {
    findings_.Add("SIG-COSIGN", entry, "the signature by " + Quoted(line->name) + ": " + verified.error().message);
    return;
  }
  if (!request->second.approvals.insert(*signer).second) {
    findings_.Add("QUO-TWICE", entry,
                  Quoted(*person) + " has approved request " + std::to_string(*request_entry) + " before");
  }
  if (first_signed_ == *size && witnesses_) {
    if (const std::optional<std::size_t> witness = witnesses_->Find(*line)) opening_approvals_.insert(*witness);
  }
}

void LogAudit::OnArtefact(std::uint64_t entry) {
  const std::optional<std::string> name = TextOf("name", entry);
  const std::optional<std::string> digest = HexDigestOf("sha256", entry);
  const std::optional<std::uint64_t> size = NumberOf("size", entry);
  if (!name || !digest || !size) return;
  if (!IsSafePath(*name)) {
    findings_.Add("ART-PATH", entry, Quoted(*name) + " is not a relative path of plain names");
    return;
  }
  artefacts_[*name] = {*digest, size, entry};
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
  signed_[checkpoint->size] = checkpoint->root;
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

void LogAudit::OnClose(std::uint64_t entry) {
  if (close_entry_) {
    findings_.Add("REC-CLOSE", entry, "the record was closed before, at entry " + std::to_string(*close_entry_));
    return;
  }
  close_entry_ = entry;
  closed_entries_ = NumberOf("entries", entry);
  const std::optional<std::uint64_t> steps = NumberOf("steps", entry);
  if (steps && *steps != steps_ended_) {
    findings_.Add(
        "REC-CLOSE", entry,
        "close counts " + std::to_string(*steps) + " steps, but " + std::to_string(steps_ended_) + " have ended");
  }
  if (step_ && !step_interrupted_) findings_.Add("REC-STEP", entry, "step " + Quoted(*step_) + " has not ended");
  for (const auto& [number, call] : OpenCalls()) {
    if (call.settled) continue;
    findings_.Add("REC-CALL", call.entry, "call " + std::to_string(number) + " has an intent but no done");
  }
}

void LogAudit::Finish() {
  if (options_.wanted_sizes.contains(entries_)) roots_[entries_] = tree_.Root();
  if (options_.digest_file) file_digest_ = stream_.Finish();
  if (entries_ > 0 && origin_.empty() && !findings_.Has("REC-OPEN") && !findings_.Has("REC-ORIGIN")) {
    findings_.Add("REC-OPEN", 0, "the first entry is not a good open entry");
  }
  for (const auto& [number, call] : OpenCalls()) {
    if (call.settled) {
      findings_.Add("REC-SETTLED", call.entry,
                    "call " + std::to_string(number) + " was interrupted; recovery settled what became of it");
    }
  }
  if (close_entry_ && closed_entries_) {
    // A record whose last line is the final checkpoint may count that line too.
    const std::uint64_t lines = *close_entry_ + 1;
    if (*closed_entries_ != lines && !(ends_with_checkpoint() && *closed_entries_ == lines + 1)) {
      findings_.Add(
          "REC-CLOSE", *close_entry_,
          "close counts " + std::to_string(*closed_entries_) + " entries, but there are " + std::to_string(lines));
    }
  }
  if (first_signed_ && witnesses_ && !witnesses_->IsEnough(opening_approvals_)) {
    findings_.Add("QUO-OPENING", first_signed_,
                  std::to_string(witnesses_->CountPeople(opening_approvals_)) +
                      " people cosigned the first checkpoint, " + std::to_string(witnesses_->m()) + " are needed");
  }
}

std::optional<Hash> LogAudit::RootAt(std::uint64_t size) const {
  const auto found = roots_.find(size);
  if (found == roots_.end()) return std::nullopt;
  return found->second;
}

}  // namespace ceremony::record
