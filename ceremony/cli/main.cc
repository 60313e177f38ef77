// keyceremony: scripted key ceremonies on PKCS#11 tokens.
#include <iostream>

#include "ceremony/cli/command_line.h"
#include "hsm/base/heap.h"
#include "hsm/base/secret_bytes.h"

int main(int argc, char** argv) {
  base::HardenProcess();
  base::GrowHeapByHugePages();
  std::ios::sync_with_stdio(false);
  return ceremony::cli::RunCommandLine(argc, argv, std::cout, std::cerr);
}
