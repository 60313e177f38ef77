#include "ceremony/record/folder_audit.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "ceremony/record/characters.h"
#include "ceremony/record/strict_parse.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::size_t kMaxSmallFile = 1u << 20;
constexpr std::size_t kMaxScriptFile = 4u << 20;  // no program of ours reads a larger one

// SamePeople compares a policy with the pinned quorum: the same keys under the
// same names, one group of all of them, the same threshold.
bool SamePeople(const Policy& policy, const Trust::Quorum& quorum) {
  const auto texts = [](const std::vector<VerifierKey>& keys) {
    std::set<std::string> out;
    for (const VerifierKey& key : keys) out.insert(key.Text());
    return out;
  };
  const auto group = std::find_if(policy.groups().begin(), policy.groups().end(),
                                  [&](const Policy::Group& each) { return each.name == policy.quorum(); });
  std::set<std::string> witnesses;
  for (const Policy::Witness& witness : policy.witnesses()) witnesses.insert(witness.name);
  if (group == policy.groups().end()) {
    // One person alone needs no group.
    return quorum.m == 1 && witnesses.contains(policy.quorum()) && texts(policy.Keys()) == texts(quorum.keys);
  }
  return group->threshold == quorum.m &&
         std::set<std::string>(group->members.begin(), group->members.end()) == witnesses &&
         texts(policy.Keys()) == texts(quorum.keys);
}

// EnvironmentOf is that of a file which is a binding; empty for another file.
std::string EnvironmentOf(const std::string& bytes) {
  if (bytes.find("keyceremony-binding/1") == std::string::npos) return {};
  const Result<nlohmann::json> binding = ParseStrict(bytes);
  if (!binding.ok() || !binding->is_object() || binding->value("format", nlohmann::json()) != "keyceremony-binding/1")
    return {};
  const nlohmann::json environment = binding->value("environment", nlohmann::json());
  return environment.is_string() ? environment.get<std::string>() : std::string();
}

// IsEvidence: nothing in the evidence says that the log key is not gone, or is of another key.
bool IsEvidence(const Scanner& evidence, const std::optional<VerifierKey>& log_key) {
  constexpr std::string_view kDone = "\"CKR_OK\"";
  const std::string_view absent = evidence.Find("absent"), rv = evidence.Find("rv");
  if ((!absent.empty() && absent != "true") || (!rv.empty() && rv != kDone)) return false;
  const std::string_view spki_sha256 = evidence.Find("spki_sha256"), objects = evidence.Find("objects");
  if (!spki_sha256.empty() && log_key && PlainString(spki_sha256) != log_key->public_key().SpkiSha256Hex())
    return false;
  if (objects.empty()) return true;
  const auto list = DecodeArray(objects);
  return list && std::ranges::all_of(*list, [&](std::string_view each) {
           Scanner object;
           return object.ScanObject(each) == LineFault::kNone && object.Find("rv") == kDone;
         });
}

}  // namespace

Result<SignedCheckpoint> ParseSignedCheckpoint(std::string_view text, std::string what) {
  Result<Note> note = Note::Parse(text);
  if (!note.ok()) return std::move(note).error().Prefixed(what);
  Result<Checkpoint> checkpoint = Checkpoint::Parse(note->text);
  if (!checkpoint.ok()) return std::move(checkpoint).error().Prefixed(what);
  return SignedCheckpoint{std::move(note).value(), std::move(checkpoint).value(), std::move(what)};
}

Result<std::optional<std::string>> FolderAudit::ReadIfThere(std::string_view name, std::size_t limit) {
  Result<std::string> text = folder_.ReadSmall(name, limit);
  if (text.ok()) return std::optional<std::string>(std::move(text).value());
  switch (text.error().code) {
    case ErrorCode::kNotFound:
      return std::optional<std::string>();
    case ErrorCode::kRefused:
    case ErrorCode::kInvalidInput:
      findings_.Add("ART-PATH", std::nullopt, text.error().message);
      return std::optional<std::string>();
    default:
      return std::move(text).error();
  }
}

Result<RecordFolder::Listing> FolderAudit::List() {
  Result<RecordFolder::Listing> listing = folder_.List();
  if (listing.ok() || listing.error().code != ErrorCode::kInvalidInput) return listing;
  if (!is_too_full_) findings_.Add("ART-PATH", std::nullopt, listing.error().message);
  is_too_full_ = true;
  return RecordFolder::Listing();
}

Result<void> FolderAudit::ReadBeforeLog() {
  KC_ASSIGN_OR_RETURN(const std::optional<std::string> policy, ReadIfThere(kPolicyFile, kMaxSmallFile));
  if (policy) {
    Result<Policy> parsed = Policy::Parse(*policy);
    if (parsed.ok()) {
      policy_ = std::move(parsed).value();
      CheckPolicy();
    } else {
      findings_.Add("QUO-POLICY", std::nullopt, std::string(kPolicyFile) + ": " + parsed.error().message);
    }
  } else {
    findings_.Add("REC-NO-POLICY", std::nullopt, "the record has no policy.txt");
  }
  KC_ASSIGN_OR_RETURN(const std::optional<std::string> final_note, ReadIfThere(kCheckpointFile, kMaxSmallFile));
  if (final_note) {
    Result<SignedCheckpoint> parsed = ParseSignedCheckpoint(*final_note, "the file checkpoint");
    if (parsed.ok()) {
      final_ = std::move(parsed).value();
    } else {
      findings_.Add("SIG-NOTE", std::nullopt, parsed.error().message);
    }
  }
  KC_ASSIGN_OR_RETURN(const std::optional<std::string> addendum, ReadIfThere(kAddendumFile, kMaxNoteBytes));
  if (addendum) {
    Result<Note> parsed = Note::Parse(*addendum);
    if (parsed.ok()) {
      addendum_ = std::move(parsed).value();
    } else {
      findings_.Add("SIG-NOTE", std::nullopt, std::string(kAddendumFile) + ": " + parsed.error().message);
    }
  }
  return ReadInputs();
}

// What else is wrong with a file of inputs/ is said when its digest is compared.
Result<void> FolderAudit::ReadInputs() {
  KC_ASSIGN_OR_RETURN(const RecordFolder::Listing listing, List());
  const std::string inputs = std::string(kInputsFolder) + "/";
  for (const std::string& path : listing.files) {
    if (!path.starts_with(inputs)) continue;
    const Result<std::string> bytes = folder_.ReadSmall(path, kMaxScriptFile);
    if (!bytes.ok()) {
      if (bytes.error().code == ErrorCode::kIo) return bytes.error();
      continue;
    }
    if (std::string environment = EnvironmentOf(*bytes); !environment.empty())
      environments_.emplace(path.substr(inputs.size()), std::move(environment));
    Result<std::optional<ScriptPlan>> plan = ScriptPlan::Parse(*bytes);
    if (!plan.ok()) {
      scripts_.emplace(path.substr(inputs.size()), plan.error());
    } else if (*plan) {
      scripts_.emplace(path.substr(inputs.size()), **std::move(plan));
    }
  }
  return {};
}

void FolderAudit::CheckPolicy() {
  if (policy_->quorum() == "none") {
    findings_.Add("QUO-POLICY", std::nullopt, "policy.txt asks for no quorum");
  }
  if (trust_ != nullptr && !SamePeople(*policy_, trust_->witnesses())) {
    findings_.Add("QUO-POLICY", std::nullopt,
                  "policy.txt does not ask for " + std::to_string(trust_->witnesses().m) + " of the " +
                      std::to_string(trust_->witnesses().keys.size()) + " custodians whose keys are pinned");
  }
}

void FolderAudit::CheckLogOfPolicy(const LogAudit& log) {
  if (!policy_ || !log.log_key() || policy_->logs().empty()) return;
  const std::string own = log.log_key()->Text();
  if (std::ranges::any_of(policy_->logs(), [&](const Policy::Log& each) { return each.key.Text() == own; })) return;
  findings_.Add("QUO-POLICY", std::nullopt, "policy.txt has a log, and it is not the log key of the record");
}

std::vector<std::string> FolderAudit::CheckCosigners(const LogAudit& log, const std::optional<Electorate>& witnesses) {
  if (!final_ || !log.log_key() || !witnesses) return {};
  const std::set<std::size_t> signers =
      CollectSigners(final_->note, &*log.log_key(), witnesses, final_->what, std::nullopt, findings_);
  if (!witnesses->IsEnough(signers)) {
    findings_.Add("QUO-FINAL", std::nullopt,
                  std::to_string(witnesses->CountPeople(signers)) + " people cosigned the final checkpoint, " +
                      std::to_string(witnesses->m()) + " are needed");
  }
  std::set<std::string> people;
  for (const std::size_t signer : signers) people.emplace(witnesses->keys()[signer].person());
  return {people.begin(), people.end()};
}

Result<const FileDigest*> FolderAudit::DigestOf(const std::string& path) {
  const auto known = digests_.find(path);
  if (known != digests_.end()) return known->second ? &*known->second : nullptr;
  std::optional<FileDigest>& slot = digests_[path];
  Result<FileDigest> digest = folder_.Digest(path);
  if (digest.ok()) {
    slot = *digest;
    return &*slot;
  }
  switch (digest.error().code) {
    case ErrorCode::kNotFound:
      return nullptr;
    case ErrorCode::kRefused:
    case ErrorCode::kInvalidInput:
      findings_.Add("ART-PATH", std::nullopt, digest.error().message);
      return nullptr;
    default:
      return std::move(digest).error();
  }
}

Result<void> FolderAudit::CheckNamed(const std::string& path, const NamedFile& named, bool closed) {
  KC_ASSIGN_OR_RETURN(const FileDigest* const digest, DigestOf(path));
  if (digest == nullptr) {
    if (withheld_.files().contains(path)) return {};
    findings_.Add(closed ? "ART-MISSING" : "ART-PENDING", named.entry, path + " is not there", closed ? path : "");
    return {};
  }
  const std::string found = base::HexEncode(digest->sha256);
  if (found != named.sha256) {
    findings_.Add("ART-DIGEST", named.entry, path + " has SHA-256 " + found + ", the record says " + named.sha256,
                  path);
  } else if (named.size && *named.size != digest->size) {
    findings_.Add(
        "ART-DIGEST", named.entry,
        path + " has " + std::to_string(digest->size) + " bytes, the record says " + std::to_string(*named.size), path);
  }
  return {};
}

Result<void> FolderAudit::CheckFiles(const LogAudit& log, const std::optional<Electorate>& witnesses,
                                     bool log_is_whole) {
  KC_ASSIGN_OR_RETURN(listing_, List());
  for (const std::string& path : listing_.strange) {
    findings_.Add("ART-PATH", std::nullopt, path + " is a symbolic link or no file at all");
  }
  for (const std::string& path : listing_.files) {
    if (withheld_.files().contains(path)) {
      findings_.Add("RED-LEDGER", std::nullopt, path + " is there, and the ledger says that it is withheld");
    }
  }
  const bool closed = log.close_entry().has_value();
  std::set<std::string> named = {std::string(kLogFile),    std::string(kCheckpointFile),  std::string(kAddendumFile),
                                 std::string(kPolicyFile), std::string(kDisclosuresFile), std::string(kWithheldFile)};
  for (const auto& [name, file] : log.inputs()) {
    const std::string path = std::string(kInputsFolder) + "/" + name;
    named.insert(path);
    KC_RETURN_IF_ERROR(CheckNamed(path, file, closed));
  }
  for (const auto& [name, file] : log.artefacts()) {
    const std::string path = std::string(kArtefactsFolder) + "/" + name;
    named.insert(path);
    KC_RETURN_IF_ERROR(CheckNamed(path, file, closed));
  }
  for (const std::string& path : listing_.files) {
    if (path.starts_with(kTornPrefix)) {
      KC_ASSIGN_OR_RETURN(const FileDigest* const digest, DigestOf(path));
      if (digest != nullptr && path.substr(kTornPrefix.size()) != base::HexEncode(digest->sha256))
        findings_.Add("ART-DIGEST", std::nullopt, path + " does not have the digest in its name", path);
    } else if (!named.contains(path)) {
      findings_.Add("ART-STRAY", std::nullopt, path + " is named by no entry");
    }
  }
  CheckLogOfPolicy(log);
  if (addendum_) return CheckAddendum(log, witnesses, log_is_whole);
  return {};
}

std::optional<std::vector<FolderAudit::Line>> FolderAudit::ParseAddendum(const LogAudit& log) {
  const auto wrong = [&](const std::string& message) {
    findings_.Add("ART-ADDENDUM", std::nullopt, "addendum.note: " + message);
    return std::nullopt;
  };
  std::string_view rest = addendum_->text;
  const auto next_line = [&rest] {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
  };
  if (const std::string_view title = next_line(); title != log.origin() + "/addendum") {
    return wrong("its first line is \"" + std::string(title.substr(0, 200)) + "\", the record is " + log.origin());
  }
  Scanner scanner;
  if (scanner.ScanObject(next_line()) != LineFault::kNone) {
    return wrong("its second line, the evidence, is not a JSON object in canonical form");
  }
  if (!IsEvidence(scanner, log.log_key()))
    return wrong("its second line, the evidence, says that the log key is not gone, or is of another key");
  std::vector<Line> lines;
  while (!rest.empty()) {
    const std::string_view line = next_line();
    if (line.size() < 67 || !IsLowerHex(line.substr(0, 64), 64) || line.substr(64, 2) != "  " ||
        !IsSafePath(line.substr(66))) {
      return wrong("\"" + std::string(line.substr(0, 200)) +
                   "\" is not a line of sha256sum with a plain relative path");
    }
    lines.push_back({std::string(line.substr(0, 64)), std::string(line.substr(66))});
    if (lines.size() > 1 && lines[lines.size() - 2].path >= lines.back().path) {
      return wrong(lines.back().path + " stands out of order");
    }
  }
  return lines;
}

Result<void> FolderAudit::CheckAddendum(const LogAudit& log, const std::optional<Electorate>& witnesses,
                                        bool log_is_whole) {
  if (witnesses) {
    const std::set<std::size_t> signers =
        CollectSigners(*addendum_, nullptr, witnesses, "addendum.note", std::nullopt, findings_);
    if (!witnesses->IsEnough(signers)) {
      findings_.Add("QUO-ADDENDUM", std::nullopt,
                    std::to_string(witnesses->CountPeople(signers)) + " people signed the addendum, " +
                        std::to_string(witnesses->m()) + " are needed");
    }
  }
  const std::optional<std::vector<Line>> lines = ParseAddendum(log);
  if (!lines) return {};
  std::set<std::string_view> listed;
  for (const Line& line : *lines) {
    listed.insert(line.path);
    if (line.path == kAddendumFile || line.path == kDisclosuresFile || line.path == kWithheldFile) {
      findings_.Add("ART-ADDENDUM", std::nullopt, "addendum.note names " + line.path + ", which it must not");
      continue;
    }
    std::string found;
    if (line.path == kLogFile) {
      // How the log differs has been said already; of a bundle only the tree is that of the record.
      if (!log_is_whole || withheld_.entries() > 0) continue;
      found = base::HexEncode(log.file_digest());
    } else {
      KC_ASSIGN_OR_RETURN(const FileDigest* const digest, DigestOf(line.path));
      if (digest == nullptr) {
        if (withheld_.files().contains(line.path)) continue;
        findings_.Add("ART-MISSING", std::nullopt, line.path + " is not there, and the addendum names it", line.path);
        continue;
      }
      found = base::HexEncode(digest->sha256);
    }
    if (found != line.sha256) {
      findings_.Add("ART-DIGEST", std::nullopt,
                    line.path + " has SHA-256 " + found + ", the addendum says " + line.sha256, line.path);
    }
  }
  for (const std::string& path : withheld_.files()) {
    if (listed.contains(path)) continue;
    findings_.Add("RED-LEDGER", std::nullopt,
                  path + " is withheld, says the ledger, and the addendum names no such file");
  }
  for (const std::string& path : listing_.files) {
    if (path == kAddendumFile || path == kDisclosuresFile || path == kWithheldFile || listed.contains(path)) continue;
    findings_.Add("ART-ADDENDUM", std::nullopt, path + " is there, and the addendum does not name it");
  }
  return {};
}

}  // namespace ceremony::record
