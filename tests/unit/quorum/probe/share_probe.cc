// share_probe reads commands from its input, one a line, and answers each on a line:
//   split M N HEX        -> "x:hex x:hex ..."
//   combine X:HEX ...    -> hex
//   an error             -> "! rule"
#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "ceremony/quorum/shamir.h"
#include "hsm/base/encoding.h"

namespace {

using namespace ceremony;

base::SecretBytes FromHex(const std::string& hex) { return base::SecretBytes::CopyOf(base::HexDecode(hex).value()); }

std::string Split(std::istream& words) {
  int m = 0, n = 0;
  std::string hex;
  words >> m >> n >> hex;
  const auto shares = quorum::SplitSecret(FromHex(hex), m, n);
  if (!shares.ok()) return "! " + shares.error().rule;
  std::string line;
  for (const quorum::ShamirShare& share : *shares)
    line += fmt::format("{}{}:{}", line.empty() ? "" : " ", share.x, base::HexEncode(share.y.view()));
  return line;
}

std::string Combine(std::istream& words) {
  std::vector<quorum::ShamirShare> shares;
  for (std::string word; words >> word;) {
    const std::size_t colon = word.find(':');
    shares.push_back({static_cast<std::uint8_t>(std::stoi(word.substr(0, colon))), FromHex(word.substr(colon + 1))});
  }
  std::vector<const quorum::ShamirShare*> given;
  for (const quorum::ShamirShare& share : shares) given.push_back(&share);
  const auto secret = quorum::CombineShares(given);
  return secret.ok() ? base::HexEncode(secret->view()) : "! " + secret.error().rule;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    std::cout << (command == "split" ? Split(words) : Combine(words)) << '\n';
  }
  return 0;
}
