#include "ceremony/record/rules.h"

#include <array>

namespace ceremony::record {
namespace {

using enum Severity;

// The lines of LineFault first and in its order, so that RuleOf is an index.
constexpr std::array<Rule, 123> kRules = {{
    {"REC-SIZE", kInvalid, "an entry has 2 to 65535 bytes"},
    {"REC-JSON", kInvalid, "a line is one JSON object, without white space and with nothing after it"},
    {"REC-CONTROL", kInvalid, "no raw control character and no U+007F stands in a line"},
    {"REC-UTF8", kInvalid, "a line is well-formed UTF-8"},
    {"REC-ESCAPE", kInvalid, "a string is escaped in the one minimal way of RFC 8785"},
    {"REC-NESTING", kInvalid, "objects and arrays nest at most 16 deep"},
    {"REC-KEY", kInvalid, "a key consists of letters, digits, underscore, full stop and hyphen"},
    {"REC-DUPLICATE", kInvalid, "no key occurs twice in one object"},
    {"REC-ORDER", kInvalid, "keys stand in ascending order"},
    {"REC-NUMBER", kInvalid, "a number is an integer between -(2^53-1) and 2^53-1, in its one spelling"},
    {"REC-REQUIRED", kInvalid, "every entry has v, seq, type, time, mono, salt and mode"},
    {"REC-FORM", kInvalid, "the common fields have their form"},
    {"REC-TYPE", kInvalid, "the type of an entry is one of the format's table"},
    // The log as a whole.
    {"REC-LOG", kInvalid, "a record has a log, log.jsonl, and it is a regular file"},
    {"REC-EMPTY", kIncomplete, "the log has no entry yet"},
    {"REC-TORN", kIncomplete, "the last line was not written to its end"},
    {"REC-SEQ", kInvalid, "entries are numbered from 0 without a gap"},
    {"REC-OPEN", kInvalid, "the first entry, and no other, is open, with origin, ceremony and log key"},
    {"REC-ORIGIN", kInvalid, "the origin is <estate>/<ceremony>/<32 hex digits>, the same wherever it stands"},
    {"REC-MODE", kInvalid,
     "every entry has the mode of the first, the binding is of the environment that the record says, and nothing in "
     "production is simulated: a rehearsal is never a production ceremony"},
    {"REC-CLOCK", kNotice, "a clock went back between two entries"},
    {"REC-FIELD", kNotice, "an entry has the fields of its type"},
    {"REC-ENTRY", kInvalid, "the fields that a verifier needs are there and have their form"},
    {"REC-STEP", kInvalid, "steps begin and end in pairs, one at a time"},
    {"REC-CALL", kInvalid, "every intent has its done, with the same call, function, token, mechanism and template"},
    {"REC-SETTLED", kNotice, "a call was interrupted and what became of it was settled by recovery"},
    {"REC-CLOSE", kInvalid, "close is the last entry, counts right and leaves nothing open"},
    {"REC-NOT-CLOSED", kIncomplete, "the ceremony was not closed"},
    {"REC-CHECKPOINT", kInvalid, "a checkpoint entry covers exactly the entries before it"},
    {"REC-ROOT", kInvalid, "a signed checkpoint has the root of the entries it covers"},
    {"REC-FORK", kFork, "two signed checkpoints of one origin belong to one history"},
    {"REC-TAIL", kIncomplete, "the last entries are covered by no signed checkpoint"},
    {"REC-SHORT", kIncomplete, "the log has all the entries that a signed checkpoint covers"},
    {"REC-NO-CHECKPOINT", kIncomplete, "a closed record has its final checkpoint"},
    {"REC-NO-POLICY", kIncomplete, "a record has its policy, policy.txt"},
    {"REC-NO-ADDENDUM", kIncomplete, "a closed record has its addendum"},
    // The script among the inputs.
    {"REC-NO-SCRIPT", kIncomplete, "a record has one script among its inputs"},
    {"SCR-FORM", kInvalid, "the script of a record has sections of steps, each with its id, and no id twice"},
    {"SCR-OPEN", kInvalid, "the script is the one of this ceremony, and the one for which the opening was approved"},
    {"SCR-STEP", kInvalid, "a step of the record is one of the script and does what the script says"},
    {"SCR-ORDER", kInvalid, "steps are done in the script's order, each one time"},
    {"SCR-SKIP", kInvalid, "only a step that the script calls skippable is skipped"},
    {"SCR-MISSING", kInvalid,
     "a closed record has every step of its script, or names each that was not done where it was called off"},
    {"SCR-CALLED-OFF", kNotice, "the people called the ceremony off: what its script says further on was not done"},
    {"SCR-FAILED", kNotice, "a step that failed was done again before the record was closed"},
    {"SCR-QUORUM", kInvalid, "a step names the quorum that the script gives it"},
    {"SCR-PARAMETERS", kInvalid, "a step begins with the parameters that the script gives it"},
    {"SCR-CALL", kInvalid, "nothing consequential happens outside the steps, but to remove what a crash left"},
    // Signatures.
    {"SIG-NOTE", kInvalid, "a note has the form of a C2SP signed note"},
    {"SIG-LOG", kInvalid, "a checkpoint is signed by the log key of its record"},
    {"SIG-SIGNER", kInvalid, "only the log key and known custodians sign"},
    {"SIG-STEP", kNotice, "what a step did is signed before the next one begins"},
    {"SIG-COSIGN", kInvalid, "a custodian's signature verifies, in strict DER with low S"},
    // People.
    {"QUO-UNPINNED", kUnpinned, "the custodians' keys were not pinned: nobody vouches for those in the record"},
    {"QUO-POLICY", kInvalid, "policy.txt is well-formed and says what the pinned roster says"},
    {"QUO-PERSON", kInvalid, "a cosignature is by a person of the quorum, under that person's own name"},
    {"QUO-TWICE", kNotice, "a person approved the same request twice and counts once"},
    {"QUO-REQUEST", kInvalid, "an approval names a request and a checkpoint that covers it, with the roster's quorum"},
    {"QUO-SUBJECT", kInvalid, "what was approved is what was shown, for this record, and what the step then did"},
    {"QUO-INTENT", kInvalid, "nothing consequential happens in a step before its quorum has approved"},
    {"QUO-STEP", kInvalid, "a step that needs a quorum ends only after its approval"},
    {"QUO-SECTION", kInvalid, "a step rests on a section's approval only where that is its own, at its first attempt"},
    {"QUO-ENDED", kNotice, "a request that was refused is over: who approves it then does not count"},
    {"QUO-SELF", kInvalid, "nobody approves their own retirement"},
    {"QUO-ABSENT", kNotice, "a person who has departed does not count"},
    {"QUO-OPENING", kIncomplete, "a quorum cosigned the first checkpoint"},
    {"QUO-FINAL", kIncomplete, "a quorum cosigned the final checkpoint"},
    {"QUO-ADDENDUM", kIncomplete, "a quorum signed the addendum"},
    {"QUO-MINORITY", kNotice, "a quorum is more than half of the custodians, so that two quorums always meet"},
    {"QUO-POSSESSION", kInvalid, "who is appointed has signed with the key that will be theirs, but in a rehearsal"},
    {"QUO-HANDED", kInvalid, "a share that comes from elsewhere was asked for, by that request"},
    // Keys and their copies.
    {"CPY-TWICE", kInvalid, "a key is made once, and has one name"},
    {"CPY-GONE", kInvalid, "nothing is done with a key that was destroyed"},
    {"CPY-LOST", kInvalid,
     "a key is destroyed when every copy is accounted for, and a copy comes from one that is there"},
    // What is in the files of keys, certificates, CRLs and requests (verify/certificate_audit.h).
    // What the calls and effects of a step say of each other.
    {"CALL-KIND", kInvalid, "a step makes only PKCS#11 calls, and has only effects, that steps of its kind have"},
    {"CALL-KEY", kInvalid,
     "a key came out of a call that made a key pair on its token, and each that came out is told of"},
    {"CALL-COPY", kInvalid,
     "a copy came or went by a call of its step that gave CKR_OK, or by one that was cut off, and each that came is "
     "told of"},
    {"CALL-READ", kInvalid,
     "a key pair was read back as it was asked for, with the public key that came out, and its private half is "
     "sensitive"},
    {"CALL-LOCAL", kNotice, "a token says of a pair that it has made it, which NSS softoken never says"},
    {"CALL-SIGN", kInvalid,
     "what a CA signed came out of one call over bytes that were approved, and nothing else was signed but proofs that "
     "say what they are"},
    {"CALL-UNKNOWN", kNotice, "a step that makes PKCS#11 calls is of a kind that this release knows"},
    {"CALL-EFFECT", kInvalid, "a step that had something approved for signing says what became of it"},
    {"CRT-FILE", kInvalid, "a step names the file that it made, with its digest, and PEM and DER are one certificate"},
    {"CRT-FORM", kInvalid, "a certificate, CRL or request is strict DER"},
    {"CRT-ORDER", kInvalid, "it is what the script orders of its step: names, key, issuer, subject"},
    {"CRT-PROFILE", kInvalid, "it is what its profile, which is among the inputs, says"},
    {"CRT-FACTS", kInvalid, "the step says of it what it is: names, serial number, dates, key, usage"},
    {"CRT-APPROVED", kInvalid,
     "the bytes that were signed are bytes that the step's quorum has approved, for the attempt that signed them"},
    {"CRT-KEY", kInvalid, "its key is the one of that name, and one key is one CA"},
    {"CRT-DATE", kInvalid, "what is to begin when it is signed begins on the days of its step"},
    {"CRT-SIGNATURE", kInvalid, "it is signed by its issuer, a request by its own key"},
    {"CRT-CHAIN", kInvalid,
     "its issuer is a CA that may sign it: names, key identifiers, usage, validity, path length"},
    {"CRT-SERIAL", kInvalid, "an issuer uses a serial number once"},
    {"CRT-NUMBER", kInvalid, "the numbers of an issuer's CRLs grow"},
    {"CRT-REVOKED", kInvalid, "what is revoked is on the CRL that says so, and stays on those after it"},
    {"CRT-DESTROYED", kInvalid,
     "a certificate of destruction is of its key, and lists each copy that its ceremony destroyed, and no other"},
    {"CRT-LINT", kNotice, "it breaks no rule that this release knows"},
    {"CRT-UNKNOWN", kInvalid, "a key or an issuer was made by a step of these records, which begin with the first"},
    {"CRT-ELSEWHERE", kNotice, "keys and issuers are of the records that were read, and their certificates are shown"},
    // Files.
    {"ART-PATH", kInvalid, "a file's name stays in the record and the file is a regular one"},
    {"ART-MISSING", kInvalid, "every file that a closed record names is there"},
    {"ART-PENDING", kIncomplete, "a file that an unfinished record names is not there yet"},
    {"ART-DIGEST", kInvalid, "a file has the size and SHA-256 that the record says"},
    {"ART-TWICE", kInvalid, "one entry names a file of artefacts/, and no other"},
    {"ART-ADDENDUM", kInvalid, "the addendum names its record, its evidence and, sorted, every other file"},
    {"ART-STRAY", kNotice, "a file is there that no entry names"},
    // What the reader brings from outside.
    {"SIG-WITNESS", kInvalid, "a witness's cosignature of a checkpoint verifies"},
    {"QUO-WITNESS", kIncomplete,
     "each witness whose key the reader gave has cosigned the checkpoint that came with it"},
    {"TIM-STAMP", kInvalid, "a time-stamp is over the final checkpoint, by an authority that the reader trusts"},
    {"PRF-LINE", kIncomplete, "a proof is of a line, in it or beside it"},
    {"PRF-INCLUSION", kInvalid, "the line of a proof is that entry of the tree whose root was cosigned"},
    // What a bundle leaves out.
    {"RED-LEDGER", kInvalid, "a bundle has a ledger that names each withheld entry and file, and no other"},
    {"RED-TYPE", kInvalid, "what binds other entries is never withheld"},
    {"RED-DISCLOSURE", kInvalid, "a disclosure opens one salted digest, under the name of its field"},
    {"RED-PENDING", kIncomplete, "the entry of a disclosure that an unfinished record has is not there yet"},
    {"RED-WITHHELD", kNotice, "what is not shown is not judged; the tree and its signatures cover it"},
    // The archive.
    {"ARC-ORDER", kInvalid, "records are numbered from 0001 without a gap and named after their ceremony"},
    {"ARC-STRAY", kNotice, "a folder of an archive that has a log is one of its records, by its number"},
    {"ARC-CHAIN", kInvalid, "a record names the last checkpoint of the record before it"},
    {"ARC-LEFT", kInvalid, "a record that was left behind is still what it was then, entry by entry"},
    {"ARC-LEFT-BEHIND", kNotice, "a record that nobody could close any more was left behind by the next one"},
    {"ARC-ROSTER", kUnpinned,
     "the reader's roster is that of the first record, or of people whom a record that it vouches for has made its "
     "own"},
    {"ARC-ORIGIN", kInvalid, "an origin is used once, and a checkpoint that the reader brought belongs to a record"},
}};

}  // namespace

std::span<const Rule> Rules() { return kRules; }

const Rule* FindRule(std::string_view id) {
  for (const Rule& rule : kRules) {
    if (rule.id == id) return &rule;
  }
  return nullptr;
}

const Rule& RuleOf(LineFault fault) { return kRules[static_cast<std::size_t>(fault) - 1]; }

}  // namespace ceremony::record
