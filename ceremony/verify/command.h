// The verify command: `keyceremony-verify` and `keyceremony verify` are both this.
//
//   keyceremony-verify RECORD|ARCHIVE|BUNDLE [--roster R] [--checkpoint F [--witness F]]
//                      [--timestamp F --tsa F [--request F]] [--explain] [--json] [--threads N]
//   keyceremony-verify PROOF [--roster R] [--entry F] [--json]
//
// stdout carries the verdict, in plain words or as one JSON object; stderr
// `<program>: error: ...` and `<program>: hint: ...`. Exit status: 0 COMPLETE,
// 1 INVALID, 2 usage or a roster or checkpoint that is no good, 4 a file
// that could not be read, 6 INCOMPLETE, 7 UNPINNED, 8 FORK.
#ifndef CEREMONY_VERIFY_COMMAND_H_
#define CEREMONY_VERIFY_COMMAND_H_

#include <iosfwd>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace ceremony::verify {

struct VerifyArguments {
  std::string path;        // a record's folder or an archive's; the file of a proof
  std::string roster;      // roster file with the pinned keys; empty: nothing is pinned
  std::string checkpoint;  // file with a signed checkpoint the reader kept; empty: none
  std::string witness;     // file with the vkeys of witnesses that cosigned that checkpoint
  std::string timestamp;   // file with a TimeStampResp over the final checkpoint
  std::string request;     // file with its TimeStampReq
  std::string tsa;         // file with the certificates (PEM) that it is trusted by
  std::string entry;       // file with the line that a proof is of
  // The record is judged with the keys and issuers of its archive. Set by the program, not by an option.
  bool in_archive = false;
  bool explain = false;
  bool json = false;
  unsigned threads = 0;  // 0: as many as the machine has, at most 4
};

// DescribeArguments adds the options of the command to a CLI11 command, which
// writes into `arguments` when it parses.
void DescribeArguments(CLI::App& app, VerifyArguments& arguments);

// VerifyCommand verifies and prints; `program` begins its error lines. Returns
// the exit status.
int VerifyCommand(const VerifyArguments& arguments, const std::string& program, std::ostream& out, std::ostream& err);

// RunProgram is the whole of keyceremony-verify.
int RunProgram(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace ceremony::verify

#endif  // CEREMONY_VERIFY_COMMAND_H_
