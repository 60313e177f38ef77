#include "ceremony/record/tlog_proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "ceremony/record/electorate.h"
#include "ceremony/record/findings.h"
#include "ceremony/record/line_walk.h"
#include "ceremony/record/log_audit.h"
#include "ceremony/record/scanner.h"
#include "ceremony/record/withheld.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {
namespace {

using base::ErrorCode;
using base::MakeError;
using base::Result;

constexpr std::size_t kMaxHashes = 64;  // levels of a tree

base::Error NoProof(const std::string& why) { return MakeError(ErrorCode::kCorrupt, "not a tlog-proof: " + why); }

std::optional<std::string_view> TakeLine(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

// CheckCosigners counts who of the pinned quorum signed the checkpoint.
void CheckCosigners(const Note& note, const Trust* trust, ProofReport& report, Findings& findings) {
  if (trust == nullptr) {
    findings.Add("QUO-UNPINNED", std::nullopt,
                 "no roster was given, so nobody vouches for the checkpoint in the proof");
    return;
  }
  const Result<OriginParts> parts = SplitOrigin(report.checkpoint.origin);
  if (!parts.ok() || parts->estate != trust->estate()) {
    findings.Add(
        "REC-ORIGIN", std::nullopt,
        fmt::format("the proof is of {}, the roster of {}", Quoted(report.checkpoint.origin), Quoted(trust->estate())));
    return;
  }
  const Electorate people = Electorate::OfQuorum(trust->witnesses());
  std::set<std::size_t> signers;
  std::set<std::string> names;
  for (const SignatureLine& line : note.signatures) {
    const std::optional<std::size_t> key = people.Find(line);
    if (!key) continue;  // the log key's, which only the record names, and witnesses
    if (const Result<void> good = people.keys()[*key].Verify(note.text, line.signature); !good.ok()) {
      findings.Add("SIG-COSIGN", std::nullopt, fmt::format("the signature by {}: {}", line.name, good.error().message));
      continue;
    }
    signers.insert(*key);
    names.emplace(people.keys()[*key].person());
  }
  report.cosigners.assign(names.begin(), names.end());
  if (!people.IsEnough(signers)) {
    findings.Add(
        "QUO-FINAL", std::nullopt,
        fmt::format("{} people cosigned the checkpoint, {} are needed", people.CountPeople(signers), people.m()));
  }
}

}  // namespace

std::string TlogProof::Text() const {
  std::string text(kTlogProofHead);
  text += "\n";
  if (line) text += fmt::format("extra {}\n", base::Base64Encode(base::AsBytes(*line)));
  text += fmt::format("index {}\n", index);
  for (const Hash& hash : hashes) text += base::Base64Encode(hash) + "\n";
  return text + "\n" + note;
}

Result<TlogProof> TlogProof::Parse(std::string_view text) {
  if (text.size() > kMaxProofBytes) return NoProof("it is larger than 1 MiB");
  TlogProof proof;
  std::string_view rest = text;
  if (TakeLine(rest) != kTlogProofHead) return NoProof("it does not begin with " + std::string(kTlogProofHead));
  std::optional<std::string_view> line = TakeLine(rest);
  if (line && line->starts_with("extra ")) {
    const Result<base::Bytes> extra = base::Base64Decode(line->substr(6));
    if (!extra.ok()) return NoProof("the extra data is not strict base64");
    proof.line = base::AsText(*extra);
    line = TakeLine(rest);
  }
  if (!line || !line->starts_with("index ")) return NoProof("there is no index");
  const std::string_view digits = line->substr(6);
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), proof.index);
  if (failed != std::errc() || end != digits.data() + digits.size() || std::to_string(proof.index) != digits) {
    return NoProof("the index is no number in its one spelling");
  }
  for (line = TakeLine(rest); line && !line->empty(); line = TakeLine(rest)) {
    const Result<base::Bytes> hash = base::Base64Decode(*line);
    if (!hash.ok() || hash->size() != Hash().size()) return NoProof("a hash is not the base64 of 32 bytes");
    if (proof.hashes.size() == kMaxHashes) return NoProof("it has more than 64 hashes");
    Hash& slot = proof.hashes.emplace_back();
    std::copy(hash->begin(), hash->end(), slot.begin());
  }
  if (!line || rest.empty()) return NoProof("there is no checkpoint");
  proof.note = rest;
  return proof;
}

Result<TlogProof> ProveEntry(const std::string& folder, std::uint64_t entry) {
  KC_ASSIGN_OR_RETURN(const RecordFolder record, RecordFolder::Open(folder));
  Result<std::string> note = record.ReadSmall(kCheckpointFile, kMaxProofBytes);
  if (!note.ok()) {
    return std::move(note).error().WithHint("only a record that was closed has the checkpoint that a proof rests on");
  }
  KC_ASSIGN_OR_RETURN(const Note parsed, Note::Parse(*note));
  KC_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Parse(parsed.text));
  if (entry >= checkpoint.size) {
    return MakeError(ErrorCode::kInvalidInput,
                     fmt::format("the record has no entry {}: its checkpoint covers {}", entry, checkpoint.size));
  }
  TlogProof proof;
  proof.index = entry;
  proof.note = *std::move(note);
  std::vector<Hash> leaves;
  KC_RETURN_IF_ERROR(ForEachLine(record, kLogFile, [&](std::string_view line) -> Result<bool> {
    const std::optional<Hash> withheld = WithheldLeaf(line);
    if (leaves.size() == entry && !withheld) proof.line = line;
    leaves.push_back(withheld ? *withheld : Leaf(line));
    return leaves.size() < checkpoint.size;
  }));
  CompactRange tree;
  tree.AppendAll(leaves);
  if (leaves.size() != checkpoint.size || tree.Root() != checkpoint.root) {
    return MakeError(ErrorCode::kCorrupt, "the log is not the one of the final checkpoint")
        .WithHint("`keyceremony verify` says what differs");
  }
  KC_ASSIGN_OR_RETURN(proof.hashes, InclusionProof(entry, checkpoint.size, LeavesOf(leaves)));
  return proof;
}

Result<ProofReport> VerifyProof(std::string_view text, const std::optional<std::string>& line, const Trust* trust) {
  KC_ASSIGN_OR_RETURN(const TlogProof proof, TlogProof::Parse(text));
  KC_ASSIGN_OR_RETURN(const Note note, Note::Parse(proof.note));
  KC_ASSIGN_OR_RETURN(const Checkpoint checkpoint, Checkpoint::Parse(note.text));
  ProofReport report;
  report.checkpoint = checkpoint;
  report.entry = proof.index;
  Findings findings;
  if (!line && !proof.line) {
    findings.Add("PRF-LINE", proof.index, "the proof carries no line, and you gave none");
  } else if (line && proof.line && *line != *proof.line) {
    findings.Add("PRF-INCLUSION", proof.index, "the line in the proof is not the one you gave");
  } else {
    report.line = line ? *line : *proof.line;
    if (const Result<void> in =
            VerifyInclusion(Leaf(report.line), proof.index, checkpoint.size, proof.hashes, checkpoint.root);
        !in.ok()) {
      findings.Add("PRF-INCLUSION", proof.index,
                   "the line is not entry " + std::to_string(proof.index) + " of the tree");
    }
    Scanner scanner;
    if (const LineFault fault = scanner.ScanEntry(report.line); fault != LineFault::kNone) {
      findings.Add(RuleOf(fault).id, proof.index, "the line is no entry: " + std::string(RuleOf(fault).sentence));
    } else if (scanner.fields().seq != proof.index) {
      findings.Add("REC-SEQ", proof.index, "the line says that it is entry " + std::to_string(scanner.fields().seq));
    }
  }
  CheckCosigners(note, trust, report, findings);
  report.verdict = findings.verdict();
  report.findings = findings.list();
  return report;
}

}  // namespace ceremony::record
