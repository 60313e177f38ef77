#include "ceremony/run/kept_tokens.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"

namespace {

using ceremony::run::IsWholeTokenFile;
using ceremony::run::KeptTokens;
using ceremony::run::RehearsalPaths;
namespace fs = std::filesystem;

// `softhsm2-util --init-token --label t` of SoftHSM 2.6.1, with both PINs set.
constexpr const char* kTokenFile =
    "0000000000000009000000008000534900000000000000030000000000000020742020202020202020202020202020202020"
    "2020202020202020202020202020000000008000534a00000000000000030000000000000010333862643430623931623536"
    "66656466000000008000534b0000000000000002000000000000042d000000008000534c0000000000000003000000000000"
    "004872fe099913cefa34d00866596d6ea3148af52ec53d941a8fc4a79cdb6d03f43171e9e7ec13746e9379be276de97a9d4e"
    "c2e925e8902a27660784e862dc50acb50804965ddb43268e000000008000534d000000000000000300000000000000481400"
    "30622e334e37555056024a5719222fab7b89af6a64024551146844e043a57e14dfc8860481fc9cc5dfbb8bfedc902fa89590"
    "0eb2486bd3e901e9d4031c1c042c0fcd8d262403";

base::Bytes WholeFile() {
  auto bytes = base::HexDecode(kTokenFile);
  REQUIRE(bytes.ok());
  return *bytes;
}

struct Rehearsal {
  fs::path folder = fs::temp_directory_path() / ("kept-tokens-" + std::to_string(getpid()));
  RehearsalPaths paths{folder.string()};
  Rehearsal() { fs::create_directories(TokenFile().parent_path()); }
  ~Rehearsal() { fs::remove_all(folder); }
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  fs::path TokenFile() const { return fs::path(paths.tokens) / "2548f25a-2025" / "token.object"; }
  void Write(base::ByteView bytes) const { std::ofstream(TokenFile(), std::ios::binary) << base::AsText(bytes); }
  base::Bytes Read() const {
    std::ifstream in(TokenFile(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

}  // namespace

TEST_CASE("a token file is whole, and cut at any place it is not") {
  const base::Bytes whole = WholeFile();
  REQUIRE(whole.size() == 320);
  CHECK(IsWholeTokenFile(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(IsWholeTokenFile(base::ByteView(whole).first(size)));
  }
}

TEST_CASE("a token file without the user's PIN is whole where the flags say that there is none") {
  base::Bytes bytes = WholeFile();
  bytes.resize(bytes.size() - 96);
  CHECK_FALSE(IsWholeTokenFile(bytes));
  bytes[127] = 0x25;  // the last byte of the flags, without CKF_USER_PIN_INITIALIZED
  CHECK(IsWholeTokenFile(bytes));
}

TEST_CASE("a torn token file is put back from the copy, and told of; a whole one is left as it is") {
  const Rehearsal rehearsal;
  const KeptTokens kept(rehearsal.paths);
  const base::Bytes whole = WholeFile();
  rehearsal.Write(whole);
  REQUIRE(kept.Keep().ok());
  auto mended = kept.PutBack();
  REQUIRE(mended.ok());
  CHECK(mended->empty());

  rehearsal.Write(base::ByteView(whole).first(100));
  mended = kept.PutBack();
  REQUIRE(mended.ok());
  REQUIRE(mended->size() == 1);
  CHECK(mended->at(0).label == "t");
  CHECK(mended->at(0).serial == "38bd40b91b56fedf");
  CHECK(mended->at(0).torn_bytes == 100);
  CHECK(mended->at(0).torn_sha256 == base::Sha256Hex(base::ByteView(whole).first(100)));
  CHECK(mended->at(0).sha256 == base::Sha256Hex(whole));
  CHECK(rehearsal.Read() == whole);
}

TEST_CASE("the copy follows a token file that has changed, and a torn one never becomes the copy") {
  const Rehearsal rehearsal;
  const KeptTokens kept(rehearsal.paths);
  base::Bytes changed = WholeFile();
  rehearsal.Write(changed);
  REQUIRE(kept.Keep().ok());
  changed.back() ^= 1;  // as after C_SetPIN
  rehearsal.Write(changed);
  REQUIRE(kept.PutBack().ok());
  rehearsal.Write({});
  REQUIRE(kept.Keep().ok());
  REQUIRE(kept.PutBack().ok());
  CHECK(rehearsal.Read() == changed);
}

TEST_CASE("a token whose making was cut off is removed, but not one that was made, nor one that holds something") {
  const Rehearsal rehearsal;
  const KeptTokens kept(rehearsal.paths);
  base::Bytes unfinished = WholeFile();
  unfinished[125] |= 0x40;  // CKF_SO_PIN_LOCKED, which SoftHSM clears when the PIN is set
  rehearsal.Write(unfinished);
  const fs::path object = rehearsal.TokenFile().parent_path() / "a.object";
  std::ofstream(object) << "an object";
  REQUIRE(kept.PutBack().value().empty());
  fs::remove(object);
  const auto mended = kept.PutBack();
  REQUIRE(mended.ok());
  REQUIRE(mended->size() == 1);
  CHECK(mended->at(0).label == "t");
  CHECK(mended->at(0).torn_sha256 == base::Sha256Hex(unfinished));
  CHECK(mended->at(0).sha256.empty());
  CHECK_FALSE(fs::exists(rehearsal.TokenFile().parent_path()));
}

TEST_CASE("a torn token file without a copy stays: nobody had made that token") {
  const Rehearsal rehearsal;
  const base::Bytes torn = {0, 0, 0};
  rehearsal.Write(torn);
  const auto mended = KeptTokens(rehearsal.paths).PutBack();
  REQUIRE(mended.ok());
  CHECK(mended->empty());
  CHECK(rehearsal.Read() == torn);
}
