#include "ceremony/record/log_audit.h"

#include <fmt/format.h>

#include <algorithm>

#include "ceremony/record/characters.h"
#include "ceremony/record/disclosure_audit.h"
#include "ceremony/record/signatures_ahead.h"
#include "hsm/base/encoding.h"
#include "hsm/base/utf8.h"

namespace ceremony::record {

std::string Quoted(std::string_view text) {
  constexpr std::size_t kShown = 80;
  std::string shown = "\"";
  std::size_t at = 0;
  while (at < text.size() && at < kShown) {
    const std::size_t begin = at;
    const char32_t code_point = base::NextCodePoint(text, at);
    if (base::IsInvisible(code_point)) {
      shown += fmt::format("\\u{:04x}", static_cast<unsigned>(code_point));
    } else {
      shown.append(text, begin, at - begin);
    }
  }
  return shown + (at < text.size() ? "...\"" : "\"");
}

LogAudit::LogAudit(Options options, Findings& findings)
    : options_(std::move(options)), findings_(findings), witnesses_(options_.voters.Witnesses()) {}

void LogAudit::Take(const ScannedBlock& block) {
  const std::uint64_t first_entry = entries_;
  if (options_.digest_file) {
    stream_.Update({reinterpret_cast<const std::uint8_t*>(block.block.buffer.data()), block.block.size});
  }
  if (options_.disclosures != nullptr) options_.disclosures->Take({block.block.buffer.data(), block.block.size});
  CompareWithBefore(block, first_entry);
  // The tree holds the entries before this one whenever its root is looked at:
  // what a checkpoint entry covers. In between it grows by many leaves at once.
  std::uint32_t grown = 0;
  const auto grow_to = [&](std::uint32_t index) {
    tree_.AppendAll(std::span(block.leaves).subspan(grown, index - grown));
    grown = index;
  };
  CheckpointsAhead ahead;
  auto event = block.events.begin();
  const auto count = static_cast<std::uint32_t>(block.leaves.size());
  for (std::uint32_t index = 0; index < count; ++index, ++entries_) {
    if (options_.wanted_sizes.contains(entries_)) {
      grow_to(index);
      roots_[entries_] = tree_.Root();
    }
    for (; event != block.events.end() && event->index == index; ++event) {
      if (event->kind == LineEvent::Kind::kEntry && event->type == EntryType::kCheckpoint) grow_to(index);
      ahead.Reached(index);
      Handle(*event, entries_);
    }
    // A second thread has time for it only while there is no second block to scan.
    if (entries_ == 0 && options_.second_thread && log_key_) ahead.Begin(block, *log_key_);
    if (close_entry_ && !after_close_ && entries_ > *close_entry_) {
      const bool final_checkpoint = entries_ == *close_entry_ + 1 && last_good_ == entries_;
      if (!final_checkpoint) after_close_ = entries_;
    }
  }
  grow_to(count);
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
      if (OnIntent(event, entry)) FollowCall(event, entry);
      return;
    case LineEvent::Kind::kDone:
      if (OnDone(event, entry)) FollowCall(event, entry);
      return;
    case LineEvent::Kind::kWithheld:
      if (options_.withheld != nullptr) options_.withheld->TakeEntry(entry);
      return;
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
      CheckRehearsed(entry);
      return OnOpen(entry);
    case EntryType::kStep:
      return OnStep(entry);
    case EntryType::kRequest:
      return OnRequest(entry);
    case EntryType::kCosign:
      CheckRehearsed(entry);
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
      calls_.SettleOpen();
      step_interrupted_ = step_.has_value();
      recovered_ = true;
      return;
    case EntryType::kAttend:
      CheckRehearsed(entry);
      return OnAttend(entry);
    case EntryType::kDepart:
      return OnDepart(entry);
    case EntryType::kObserve:
      return OnObserve(entry);
    case EntryType::kRefusal:
      return OnRefusal(entry);
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
  if (const auto digits = PlainString(scanner_.Find(key)); digits && IsLowerHex(*digits, 64))
    return std::string(*digits);
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
  environment_ = DecodeString(scanner_.Find("environment")).value_or("");
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
  const std::string_view left_behind = scanner_.Find("left_behind");
  const std::string_view inputs = scanner_.Find("inputs");
  OnPrevious(previous, entry);
  left_behind_ = CheckpointIn(left_behind);
  if (options_.contents != nullptr && previous == "null") options_.contents->OnFirstRecord();
  if (inputs.empty() || scanner_.ScanObject(inputs) != LineFault::kNone) {
    findings_.Add("REC-ENTRY", entry, "the field \"inputs\" is not an object");
    return;
  }
  for (const Member& member : scanner_.members()) {
    const std::optional<std::string_view> digest = PlainString(member.value);
    if (!digest || !IsLowerHex(*digest, 64) || !IsSafeName(member.key)) {
      findings_.Add("REC-ENTRY", entry, "inputs/" + std::string(member.key) + " is not a file name with its SHA-256");
      continue;
    }
    inputs_[std::string(member.key)] = {std::string(*digest), std::nullopt, entry};
  }
  ChooseScript(entry);
}

void LogAudit::OnPrevious(std::string_view value, std::uint64_t entry) {
  if (value == "null") return;
  previous_ = CheckpointIn(value);
  if (!previous_) findings_.Add("REC-ENTRY", entry, "the field \"previous\" is neither null nor origin, size and root");
  if (previous_ && previous_->origin == origin_)
    findings_.Add("REC-ORIGIN", entry, "the field \"previous\" is of this record itself");
}

bool LogAudit::OnIntent(const LineEvent& event, std::uint64_t entry) {
  if (event.number == UINT64_MAX || !PlainString(event.text) || !PlainString(event.token)) {
    findings_.Add("REC-ENTRY", entry,
                  "the fields call, fn and token of an intent are a number from 0 on and two strings");
    return false;
  }
  if (calls_.last() && event.number <= *calls_.last()) {
    findings_.Add("REC-CALL", entry,
                  "intent of call " + std::to_string(event.number) + " after call " + std::to_string(*calls_.last()));
  }
  calls_.Begin(event.number, {std::string(event.text), std::string(event.token), entry});
  if (step_) {
    CheckApproved(entry);
  } else if (!IsRemoval(event)) {
    findings_.Add("SCR-CALL", entry,
                  std::string(event.text) + " on " + std::string(event.token) + " is part of no step");
  }
  return true;
}

// IsRemoval: what a crash has left on a token is removed before the next step begins, and never a copy of a key.
bool LogAudit::IsRemoval(const LineEvent& event) {
  if (!recovered_ || event.text != "\"C_DestroyObject\"" || scanner_.ScanEntry(event.line) != LineFault::kNone)
    return false;
  const KeyBook& keys = options_.keys != nullptr ? *options_.keys : own_keys_;
  return !keys.HoldsObject(DecodeString(event.token).value_or(""), DecodeString(scanner_.Find("object")).value_or(""));
}

bool LogAudit::OnDone(const LineEvent& event, std::uint64_t entry) {
  const std::optional<CallBook::Call> call = calls_.End(event.number);
  if (!call) {
    findings_.Add("REC-CALL", entry, "done without an intent of the same call");
    return false;
  }
  if (call->function != event.text || call->token != event.token) {
    findings_.Add("REC-CALL", entry,
                  "done of call " + std::to_string(event.number) + " is " + std::string(event.text) + " on " +
                      std::string(event.token) + ", its intent " + call->function + " on " + call->token);
  }
  return true;
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
  // Of two entries one would not be that of the file, and nobody could tell which.
  if (!artefacts_.try_emplace(*name, NamedFile{*digest, size, entry}).second)
    findings_.Add("ART-TWICE", entry, "the file artefacts/" + *name + " is entered a second time");
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
  if (step_ && !step_interrupted_) findings_.Add("REC-STEP", entry, "step " + Quoted(step_->id) + " has not ended");
  CheckSigned("the close", entry);
  CheckAllDone(entry);
  for (const auto& [number, call] : calls_.Open()) {
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
  for (const auto& [number, call] : calls_.Open()) {
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
