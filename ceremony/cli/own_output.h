// OwnOutput separates the program's output from that of modules. What a module prints with stdio or std::cout goes to
// standard error, so that it cannot get into our JSON. A module may also call exit, which must not look like a
// regular end of the program.
#ifndef CEREMONY_CLI_OWN_OUTPUT_H_
#define CEREMONY_CLI_OWN_OUTPUT_H_

#include <cstdio>
#include <memory>
#include <ostream>
#include <streambuf>

#include "ceremony/room/look.h"

namespace ceremony::cli {

// StandardOutput is where this program's own output goes: stdout, unless an OwnOutput has put it aside.
std::FILE* StandardOutput();
// LookOfOutput is how to lay out what goes there.
room::Look LookOfOutput();

// One in a program, for the whole of main.
class OwnOutput final {
 public:
  // Duplicates the descriptor of standard output for this program, and points descriptor 1 to standard error. A
  // standard output that is closed stays closed.
  OwnOutput();
  // The program has come to its own end. An exit before this call ends it with kExitToken and a message.
  ~OwnOutput();
  OwnOutput(const OwnOutput&) = delete;
  OwnOutput& operator=(const OwnOutput&) = delete;

  // stream writes to StandardOutput, in one order with it.
  std::ostream& stream() { return stream_; }

 private:
  std::unique_ptr<std::streambuf> buffer_;
  std::ostream stream_{nullptr};
};

}  // namespace ceremony::cli

#endif  // CEREMONY_CLI_OWN_OUTPUT_H_
