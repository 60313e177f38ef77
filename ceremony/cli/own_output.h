// OwnOutput keeps what the program says apart from what modules say. A module may print whatever it likes while it is
// loaded or called, with stdio or with std::cout, which goes to standard error then: nobody who reads our JSON has to
// read around it. And a module may call exit, which must not look like an end of ours.
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
  // Duplicates the descriptor of standard output for ourselves, and points the one that everybody knows to standard
  // error. A standard output that is closed stays closed.
  OwnOutput();
  // The program has come to its own end. Whoever calls exit before ends it with kExitToken and a message.
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
