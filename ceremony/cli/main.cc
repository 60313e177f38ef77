// keyceremony: scripted key ceremonies on PKCS#11 tokens.
#include <csignal>
#include <iostream>

#include "ceremony/cli/command_line.h"
#include "ceremony/cli/own_output.h"
#include "hsm/base/heap.h"
#include "hsm/base/secret_bytes.h"

int main(int argc, char** argv) {
  base::HardenProcess();
  base::GrowHeapByHugePages();
  std::ios::sync_with_stdio(false);
  // A file that may not grow (ulimit -f) is an error of the write that names it, and not the end of the program.
  std::signal(SIGXFSZ, SIG_IGN);
  ceremony::cli::OwnOutput own;
  return ceremony::cli::RunCommandLine(argc, argv, own.stream(), std::cerr);
}
