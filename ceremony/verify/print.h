// How a verdict is shown: to people in plain words, with digests as the words
// that are read aloud in the room, and to programs as JSON.
#ifndef CEREMONY_VERIFY_PRINT_H_
#define CEREMONY_VERIFY_PRINT_H_

#include <iosfwd>
#include <string>
#include <string_view>

#include "ceremony/record/tlog_proof.h"
#include "ceremony/record/verify.h"

namespace ceremony::verify {

// Printable replaces characters that could move a terminal's cursor, or turn or hide other text, by a question mark:
// control characters, zero-width and bidirectional ones, and bytes that are not UTF-8. Text can come from a hostile
// record.
std::string Printable(std::string_view text);

void PrintRecord(const record::RecordReport& report, std::ostream& out);
void PrintArchive(const record::ArchiveReport& report, std::ostream& out);

// One object and LF:
//   {"verdict","origin","entries","ceremony","mode","findings":[{"rule","entry","message"}]}
// with "environment" behind the mode for a record of a test environment,
// and for a bundle "label" and "withheld":[{"what","reason","count"}] before the findings.
// `entry` is null for a finding that is not about one entry. For an archive
//   {"verdict","findings","records":[...]}
// with the overall verdict, and the findings about the chain.
void PrintRecordJson(const record::RecordReport& report, std::ostream& out);
void PrintArchiveJson(const record::ArchiveReport& report, std::ostream& out);

void PrintProof(const record::ProofReport& report, std::ostream& out);
// {"verdict","origin","entry","size","root","cosigners","line","findings"}
void PrintProofJson(const record::ProofReport& report, std::ostream& out);

}  // namespace ceremony::verify

#endif  // CEREMONY_VERIFY_PRINT_H_
