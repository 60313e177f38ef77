// token_contract --make=NAME: every test case on that make of token; 77 where it is not installed.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "hsm/module.h"
#include "tests/contract/world_under_test.h"

namespace contract {
namespace {

std::string& Make() {
  static std::string make = "fake";
  return make;
}

}  // namespace

std::unique_ptr<support::TokenWorld> NewWorld() { return support::NewWorldOf(Make()); }

std::vector<std::unique_ptr<support::TokenWorld>> NewPeers() {
  std::vector<std::unique_ptr<support::TokenWorld>> peers;
  peers.push_back(support::NewFakeWorld());
  if (Make() == "softhsm") {
    if (auto nss = support::NewNssWorld()) peers.push_back(std::move(nss));
  }
  return peers;
}

}  // namespace contract

int main(int argc, char** argv) {
  constexpr std::string_view kOption = "--make=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with(kOption)) contract::Make() = argument.substr(kOption.size());
  }
  hsm::IgnoreBrokenPipes();
  if (contract::NewWorld() == nullptr) {
    std::fprintf(stderr, "skipped: no token of make %s is installed\n", contract::Make().c_str());
    return 77;
  }
  doctest::Context context(argc, argv);
  return context.run();
}
