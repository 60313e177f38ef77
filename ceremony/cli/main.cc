// keyceremony: scripted key ceremonies on PKCS#11 tokens.
#include <array>
#include <iostream>

#include "ceremony/cli/command_line.h"
#include "hsm/base/secret_bytes.h"

int main(int argc, char** argv) {
  base::HardenProcess();
  std::ios::sync_with_stdio(false);
  // Large enough that a result is written in one go, where a failure still has its errno.
  static std::array<char, 1 << 20> buffer;
  std::cout.rdbuf()->pubsetbuf(buffer.data(), buffer.size());
  return ceremony::cli::RunCommandLine(argc, argv, std::cout, std::cerr);
}
