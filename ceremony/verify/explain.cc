#include "ceremony/verify/explain.h"

#include <fmt/format.h>

#include <ostream>
#include <string_view>

#include "ceremony/record/rules.h"
#include "ceremony/verify/print.h"

namespace ceremony::verify {
namespace {

struct Chapter {
  std::string_view prefix;  // of the rules
  std::string_view title;
};
constexpr Chapter kChapters[] = {
    {"REC-", "the log: each line, its number, its place in the tree, and the checkpoints over it"},
    {"SCR-", "the script: every step, in its order, as it was reviewed"},
    {"SIG-", "signatures: by whom they must be, and in their one spelling"},
    {"QUO-", "people: who approved what, counted by person, before anything was done"},
    {"CPY-", "keys and their copies, from their making to their end"},
    {"CALL-", "PKCS#11 calls: what a step did against what it says"},
    {"CRT-", "certificates, CRLs and requests: what is in them"},
    {"ART-", "files: each is the one that was entered"},
    {"RED-", "what is withheld from a published bundle, and that it is accounted for"},
    {"TIM-", "the hour, from somebody else's clock"},
};

// Quoted quotes a path or a name for a shell. What a terminal would obey is spelled out, so that the command stays what
// it is.
std::string Quoted(const std::string& path) {
  if (Printable(path) != path) {
    std::string octets;
    for (const char c : path) octets += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    return "$'" + octets + "'";
  }
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

class Lesson final {
 public:
  explicit Lesson(std::ostream& out) : out_(out) {}
  void Head(std::string_view title) { out_ << "\n" << ++number_ << ". " << title << "\n"; }
  void Say(std::string_view words) { out_ << "   " << words << "\n"; }
  void Run(const std::string& command) { out_ << "  $ " << command << "\n"; }

 private:
  std::ostream& out_;
  int number_ = 0;
};

// KeyOf is the command that writes a custodian's public key as DER.
std::string KeyOf(const std::string& person, const std::string& path, const std::string& roster) {
  if (!roster.empty()) {
    return fmt::format("jq -r --arg who {} '.people[] | select(.id == $who).sign_key' {} | base64 -d > \"$T/key\"",
                       Quoted(person), Quoted(roster));
  }
  return fmt::format(
      "awk -v who={} '$1 == \"witness\" && $3 ~ (\"/\" who \"[+]\") {{ sub(/^[^+]*[+][^+]*[+]/, \"\", $3); print $3 "
      "}}' {}/policy.txt | base64 -d | tail -c +2 > \"$T/key\"",
      Quoted(person), Quoted(path));
}

constexpr std::string_view kTree =
    "python3 -c 'import base64, hashlib, sys; h = lambda b: hashlib.sha256(b).digest(); "
    "t = lambda l: l[0] if len(l) == 1 else (lambda k: h(b\"\\1\" + t(l[:k]) + t(l[k:])))(1 << (len(l) - "
    "1).bit_length() - 1); "
    "lines = open(sys.argv[1], \"rb\").read().split(b\"\\n\")[:int(sys.argv[2])]; "
    "print(base64.b64encode(t([bytes.fromhex(x.decode()) if len(x) == 64 else h(b\"\\0\" + x) for x in "
    "lines])).decode())'";

void ShowRules(std::ostream& out) {
  out << "\nWhat was checked\n";
  for (const Chapter& chapter : kChapters) {
    out << "\n  " << chapter.title << "\n";
    for (const record::Rule& rule : record::Rules()) {
      if (rule.id.starts_with(chapter.prefix)) out << "    " << rule.id << "  " << rule.sentence << "\n";
    }
  }
}

void TeachLog(const record::RecordReport& report, const std::string& folder, Lesson& lesson) {
  lesson.Head("The log is lines of canonical JSON");
  lesson.Say("jq spells each line anew; where all is ASCII without escapes, nothing may change.");
  lesson.Run(fmt::format("sed -n 1p {}/log.jsonl | jq -cS . | cmp - <(sed -n 1p {}/log.jsonl)", folder, folder));
  if (report.label.empty()) {
    lesson.Run(fmt::format(
        "jq -e -n 'reduce inputs as $e (0; if $e.seq == . then . + 1 else error(\"seq\") end)' {}/log.jsonl", folder));
  } else {
    lesson.Say("This is a bundle: 64 digits in the place of a line are the hash of the entry that is withheld.");
    lesson.Run(fmt::format("grep -cE '^[0-9a-f]{{64}}$' {}/log.jsonl || true", folder));
    lesson.Run(
        fmt::format("jq -r 'select(.entry or .file) | [.entry // .file, .type // \"file\", .reason] | @tsv' "
                    "{}/withheld.jsonl",
                    folder));
  }
}

void TeachRoot(const std::string& folder, Lesson& lesson) {
  lesson.Head("The root is that of these lines");
  lesson.Say("A leaf is SHA-256 of a zero byte and the line; a node SHA-256 of a one byte and its two children.");
  lesson.Run(fmt::format("{} {}/log.jsonl \"$(sed -n 2p {}/checkpoint)\" | cmp - <(sed -n 3p {}/checkpoint)", kTree,
                         folder, folder, folder));
}

void TeachLogKey(const std::string& folder, Lesson& lesson) {
  lesson.Head("The log key signed that root; it stands in the first line of the log");
  lesson.Run(fmt::format("sed '/^$/,$d' {}/checkpoint > \"$T/text\"", folder));
  lesson.Run(fmt::format("sed -n 1p {}/log.jsonl | jq -r .log_key | base64 -d > \"$T/key\"", folder));
  lesson.Run(fmt::format(
      "sed '1,/^$/d' {}/checkpoint | sed -n 1p | cut -d' ' -f3 | base64 -d | tail -c +5 > \"$T/sig\"", folder));
  lesson.Run(
      "openssl pkeyutl -verify -pubin -keyform DER -inkey \"$T/key\" -rawin -in \"$T/text\" -sigfile \"$T/sig\"");
}

void TeachCustodians(const record::RecordReport& report, const std::string& path, const std::string& roster,
                     Lesson& lesson) {
  const std::string folder = Quoted(path);
  lesson.Head("Custodians cosigned it, with keys that you have from them and not from here");
  if (roster.empty()) lesson.Say("You gave no roster: these keys are what the record says of itself.");
  for (const std::string& person : report.cosigners) {
    lesson.Run(KeyOf(person, path, roster));
    lesson.Run(fmt::format("grep -F -- {} {}/checkpoint | cut -d' ' -f3 | base64 -d | tail -c +5 > \"$T/sig\"",
                           Quoted("/" + person + " "), folder));
    lesson.Run(
        "openssl pkeyutl -verify -pubin -keyform DER -inkey \"$T/key\" -rawin -in \"$T/text\" -sigfile \"$T/sig\"");
  }
}

void TeachFiles(const record::RecordReport& report, const std::string& folder, Lesson& lesson) {
  lesson.Head("Every file is the one that custodians signed for when the log key was gone");
  lesson.Say("The addendum is a list that sha256sum reads; its own signatures are checked like those above.");
  const std::string all = fmt::format("sed '1,2d;/^$/,$d' {}/addendum.note", folder);
  lesson.Run(fmt::format("{}{} > \"$T/sums\"", all, report.withheld.empty() ? "" : " | grep -v '  log.jsonl$'"));
  lesson.Run(fmt::format("(cd {} && sha256sum --quiet -c {}\"$T/sums\")", folder,
                         report.withheld.empty() ? "" : "--ignore-missing "));
  lesson.Run(fmt::format("sed -n 2p {}/addendum.note | jq .", folder));
}

void TeachApprovals(const std::string& folder, Lesson& lesson) {
  lesson.Head("The script is the one that was reviewed");
  lesson.Say("Compare this digest with the one on the copy that you reviewed.");
  lesson.Run(fmt::format("sed -n 1p {}/log.jsonl | jq -r '.inputs | to_entries[] | [.value, .key] | @tsv'", folder));
  lesson.Head("Who approved what, before it was done");
  lesson.Say("Each request is followed by the cosignatures of distinct people, then by the call (intent) it was for.");
  lesson.Run(
      fmt::format("jq -R -r 'fromjson? | select(type == \"object\") | select(.type | IN(\"request\", \"cosign\", "
                  "\"intent\", \"refusal\")) "
                  "| [.seq, .type, .statement // .person // .fn // .rule] | @tsv' {}/log.jsonl",
                  folder));
}

void TeachCertificates(const std::string& folder, Lesson& lesson) {
  lesson.Head("Each certificate and CRL holds the bytes that its quorum approved");
  lesson.Say("What is to be signed is the first part of the file; its digest stands in the request.");
  lesson.Run(
      fmt::format("jq -R -r 'fromjson? | objects | select(.type == \"request\") | .subject.tbs_sha256? // empty' "
                  "{}/log.jsonl > \"$T/approved\"",
                  folder));
  lesson.Run(
      fmt::format("jq -R -r 'fromjson? | objects | .effects[]? | select(.effect | IN(\"certificate-issued\", "
                  "\"crl-issued\")) | .artefact' {}/log.jsonl > \"$T/made\"",
                  folder));
  lesson.Run(
      fmt::format("while read -r f; do f={}/artefacts/$f; [ -f \"$f\" ] || continue; openssl asn1parse -inform DER -in "
                  "\"$f\" -strparse 4 -noout -out \"$T/tbs\"; grep -qxF \"$(sha256sum < \"$T/tbs\" | cut -c1-64)\" "
                  "\"$T/approved\"; done < \"$T/made\"",
                  folder));
}

}  // namespace

void Explain(const record::RecordReport& report, const std::string& path, const std::string& roster,
             std::ostream& out) {
  const std::string folder = Quoted(path);
  ShowRules(out);
  out << "\nThe same by hand\n"
         "   Each line that begins with $ can be typed as it stands, in this order, into bash. It needs\n"
         "   sha256sum, openssl, jq and Python, and nothing of this program. A line that prints an error,\n"
         "   or whose `echo $?` is not 0, has found something; `bash -e -o pipefail FILE` ends at it.\n";
  Lesson lesson(out);
  lesson.Run("T=$(mktemp -d)");
  TeachLog(report, folder, lesson);
  if (report.closed && report.last) {
    TeachRoot(folder, lesson);
    TeachLogKey(folder, lesson);
    TeachCustodians(report, path, roster, lesson);
    TeachFiles(report, folder, lesson);
  }
  TeachApprovals(folder, lesson);
  TeachCertificates(folder, lesson);
  lesson.Head("What people did not do as the script says");
  lesson.Run(fmt::format(
      "jq -R -c 'fromjson? | select(type == \"object\") | select(.type | IN(\"refusal\", \"deviation\", \"recover\"))' "
      "{}/log.jsonl",
      folder));
  lesson.Run("rm -r \"$T\"");
}

}  // namespace ceremony::verify
