// ReportData is the content of a ceremony report, read from a record in one pass,
// without any markup. Texts are untrusted: they are exactly what the record has. Times
// are the record's own (RFC 3339, UTC), with the same instant in microseconds beside
// them if something is measured.
#ifndef CEREMONY_REPORT_REPORT_DATA_H_
#define CEREMONY_REPORT_REPORT_DATA_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ceremony/record/trust.h"
#include "ceremony/record/verify.h"
#include "hsm/base/result.h"

namespace ceremony::report {

// Moment is the time and the number of an entry.
struct Moment {
  std::uint64_t entry = 0;
  std::string time;         // as in the entry; empty: never
  std::int64_t micros = 0;  // since 1970, UTC

  bool known() const { return !time.empty(); }
};

using NameValue = std::pair<std::string, std::string>;

struct Stay {
  Moment from;
  Moment until;  // unknown: until the end
  std::string presence;
  std::string hours;   // "09:00-17:00" of a person who is there for a part of the time
  std::string reason;  // of leaving
};

struct PersonSeen {
  std::string id, name, employer;
  std::vector<std::string> roles;
  std::string deputy_for;
  bool simulated = false;
  std::vector<Stay> stays;  // none: they sent apologies, or only signed
  std::string apology;
  std::uint64_t approvals = 0;
};

struct Signature {
  std::string person;
  Moment at;
  bool simulated = false;
};

// Approval is one request with its signatures.
struct Approval {
  std::string step;  // id, "opening" or "section:<id>"
  std::string quorum;
  std::int64_t m = 0, n = 0;
  std::string statement;
  std::string subject_sha256;
  std::vector<NameValue> subject;  // its short values
  Moment at;
  std::vector<Signature> signatures;
  std::string ended_by;  // rule of the refusal that ended it; empty: none
  std::string ended_person;

  // Met is the moment when the m-th person signed; nothing if fewer have signed.
  std::optional<Moment> Met() const;
  std::size_t People() const;
};

struct Attempt {
  Moment begin;
  Moment end;           // unknown: it is open
  std::string outcome;  // "ended", "failed", "skipped", "open"
  std::string error, rule;
  std::int64_t calls = 0, call_micros = 0;
  std::vector<NameValue> failed_calls;  // return value, how often
};

// Observed is what one entry says of a step: values that were read, typed or seen, or a consent.
struct Observed {
  std::string what;              // in words; empty: values that people read or typed
  std::string person;            // who consented; empty: it is no consent
  std::vector<NameValue> facts;  // of a consent: `typed`, and `to` which sentence
  std::uint64_t entry = 0;
};

// StepStory is a step of the script, with what happened to it.
struct StepStory {
  std::size_t number = 0;  // from 1, in the script's order; 0: not in the script
  std::string id, kind, title, section, say, quorum;
  bool planned = false;
  std::vector<NameValue> parameters;  // resolved, of the last attempt
  std::vector<Attempt> attempts;
  std::vector<Observed> observed;
  std::vector<std::pair<std::string, std::uint64_t>> artefacts;  // name, entry
  std::vector<std::string> effects;                              // in words

  std::string Outcome() const;  // of the last attempt; "not reached"
  // Belongs tells whether an entry is of the attempt with this index: the first one also has what came before it.
  bool Belongs(std::uint64_t entry, std::size_t attempt) const;
};

struct SectionStory {
  std::string id, title, say;
};

struct KeyEvent {
  std::string what;    // name of the effect: "key-created", ...
  std::string token;   // empty: the whole key
  std::string source;  // of a clone
  std::string detail;  // in words
  Moment at;

  // IsBeginning: the key was made here, or its public key was imported.
  bool IsBeginning() const;
};

struct KeyStory {
  std::string name, algorithm, usage, spki_sha256;
  bool here_before = false;  // an earlier ceremony made or imported it
  bool extractable = false;
  std::vector<KeyEvent> events;
  std::vector<NameValue> attributes;  // of the private key, read back from the token

  // Tokens that its events name, in order.
  std::vector<std::string> Tokens() const;
};

struct ComparedField {
  std::string field, wanted, found;
  bool equal = false;
};

// IssuedThing is a certificate, a request or a CRL.
struct IssuedThing {
  std::string what;  // "certificate", "certificate request", "CRL"
  std::string name, profile, clause, subject, serial, not_before, not_after, sha256, artefact, key, issuer_key;
  std::vector<ComparedField> rows;  // empty: no comparison is in the record
  Moment at;
};

struct TokenSeen {
  std::string name, label, serial, manufacturer, model, firmware, role;
  std::vector<NameValue> facts;  // seals, moves, verifications: time, words
};

struct ShareHolder {
  std::string person, user, officer;  // commitments, hex
  Moment confirmed;
};

// HandOver is a set of shares with its holders.
struct HandOver {
  std::string token, set, quorum;
  std::int64_t generation = 0, m = 0;
  Moment at;  // sealed
  bool in_force = false;
  std::vector<ShareHolder> holders;
};

struct Login {
  std::string token, pin;
  std::vector<std::string> people;
  Moment at;
};

// Remark is a deviation, a refusal, a note or a recovery, the entry of a ceremony that is gone on with.
struct Remark {
  std::string type;
  bool in_addendum = false;  // refused after `close`: it has no entry, and `at` only a time
  std::string rule, step, person, text;
  Moment at;

  // Name is the type, which for a recovery is the word "resumed".
  std::string Name() const { return type == "recover" ? "resumed" : type; }
};

struct FileNamed {
  std::string name, kind, sha256, step;
  std::int64_t size = -1;
  std::uint64_t entry = 0;
};

struct Module {
  std::string path, sha256, version, description;
};

// Evidence is an entry that may support a clause.
struct Evidence {
  std::string source;  // "do:key.generate", "type:attend", "effect:key-created", "role:auditor", ...
  std::uint64_t entry = 0;
  std::string step;
};

// SaltedField is a field that an entry holds only as a salted digest.
struct SaltedField {
  std::uint64_t entry = 0;
  std::string name, digest;
  bool opened = false;  // by the disclosures of a bundle
};

// LedgerRow is a file, or a run of entries that are withheld for the same reason.
struct LedgerRow {
  std::string type;  // of the entries; "file"
  std::string file;  // path; empty: entries
  std::uint64_t first = 0, last = 0;
  std::string label, reason;
};

// Ledger lists what a bundle claims to withhold.
struct Ledger {
  std::map<std::string, std::string> reasons;  // code -> sentence
  std::string annex;                           // digest and size; empty: there is none
  std::vector<LedgerRow> rows;
  std::uint64_t more = 0;  // further rows that were not kept
  std::uint64_t entries = 0, files = 0;
  bool cut_short = false;  // the next line is not a row of a ledger; nothing after it was read
};

struct ReportData {
  record::RecordReport verdict;
  bool pinned = false;  // a roster was given
  std::string made_at;  // when the report was made

  std::string ceremony, title, estate, origin, mode, environment, classification, purpose, site;
  std::string script_name, script_sha256, policy_name, policy_sha256;
  std::string program, program_version, program_sha256;
  std::vector<NameValue> libraries;
  std::string previous;     // origin of the record before, with size
  std::string left_behind;  // the record before, if nobody could close it, and why; else empty
  std::string log_key_sha256;
  Moment began, ended;  // first entry; last entry
  bool closed = false;
  std::optional<std::string> called_off;  // why people ended the ceremony before its script was done
  std::vector<std::string> open_items;
  std::string addendum;  // its evidence in words; empty: none
  std::uint64_t entries = 0, unreadable = 0, withheld = 0, recoveries = 0;
  bool cut_short = false;  // the next line is too long for an entry; nothing after it was read
  std::map<std::string, std::uint64_t> entries_by_type;
  std::vector<NameValue> clock;  // source, reading, offset

  std::vector<PersonSeen> people;
  std::vector<std::string> absent;  // names of the active people of the roster of whom the record says nothing
  std::vector<SectionStory> sections;
  std::vector<StepStory> steps;
  std::vector<Approval> approvals;
  std::vector<KeyStory> keys;
  std::vector<IssuedThing> issued;
  std::vector<TokenSeen> tokens;
  std::vector<HandOver> hand_overs;
  std::vector<Login> logins;
  std::vector<Remark> remarks;
  std::vector<FileNamed> artefacts;
  std::vector<FileNamed> inputs;
  std::vector<Module> modules;
  std::vector<NameValue> findings;  // good practice that the plan departed from: rule, message
  std::vector<std::string> final_cosigners, addendum_signers;
  std::vector<Evidence> evidence;
  std::vector<SaltedField> salted;
  Ledger ledger;

  // NameOf returns a person's name, or their id if they never attended.
  std::string NameOf(const std::string& person) const;
};

struct ReadOptions {
  const record::Trust* trust = nullptr;  // pinned keys; nullptr: the best verdict is UNPINNED
  std::string made_at;                   // RFC 3339
};

// ReadReportData verifies a record and reads it. A record that does not verify is read
// all the same, as far as its lines are JSON; `verdict` says what is wrong. kNotFound or
// kIo when there is nothing to read.
base::Result<ReportData> ReadReportData(const std::string& path, const ReadOptions& options);

// MicrosOf reads a time of an entry; 0 for a text that is not a time.
std::int64_t MicrosOf(const std::string& time);

}  // namespace ceremony::report

#endif  // CEREMONY_REPORT_REPORT_DATA_H_
