#include "ceremony/script/share_file.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/results.h"
#include "tests/unit/script/sample_files.h"

using namespace ceremony::script;
using support::Bad;
using support::Good;

namespace {

LoadedFile File(std::string text) {
  LoadedFile file;
  file.name = "alice.share.json";
  file.bytes = std::move(text);
  return file;
}

std::string ErrorOf(const std::string& old, const std::string& put) {
  std::string text = kGoodShare;
  const std::size_t at = text.find(old);
  REQUIRE(at != std::string::npos);
  text.replace(at, old.size(), put);
  return Bad(ParseShare(File(text))).message;
}

}  // namespace

TEST_CASE("a share file is read and written to the same bytes") {
  const ShareFile share = Good(ParseShare(File(kGoodShare)));
  CHECK(share.token == "root-hsm");
  CHECK(share.generation == 2);
  CHECK(share.x == 3);
  CHECK(share.user.enc.size() == 65);
  CHECK(share.security_officer.ciphertext.size() == 45);
  CHECK(Good(WriteShare(share)) == kGoodShare);
}

TEST_CASE("a share file that contradicts itself is refused with the place of it") {
  CHECK(ErrorOf("\"m\": 3", "\"m\": 256").find("alice.share.json:8:8") != std::string::npos);
  CHECK(ErrorOf("\"n\": 255", "\"n\": 2").find("expected at most n, 2, found 3") != std::string::npos);
  CHECK(ErrorOf("\"x\": 3", "\"x\": 0").find("/x") != std::string::npos);
  CHECK(ErrorOf("BMBr", "").find("expected base64 of 65 bytes, found 62") != std::string::npos);
  CHECK(ErrorOf("WMYaRQWdDFcEVg6diLVkqLY/E2S40fyzxMbdwdKRdCRl6QLNIW+JCNpJ+Plv", "WMYaRQWdDFcEVg6diLVkqA==")
            .find("expected base64 of more than 16 bytes, found 16") != std::string::npos);
  CHECK(ErrorOf("keyceremony-share/1", "keyceremony-share/2").find("keyceremony-share/1") != std::string::npos);
  CHECK(ErrorOf("\"holder\"", "\"holders\"").find("holder") != std::string::npos);
}
