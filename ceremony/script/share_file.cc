#include "ceremony/script/share_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "ceremony/script/parsed.h"
#include "ceremony/script/written.h"
#include "hsm/base/encoding.h"

namespace ceremony::script {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kFormat = "keyceremony-share/1";
constexpr std::size_t kPointBytes = 65;
constexpr std::size_t kTagBytes = 16;

FieldTable HalfTable() {
  return {
      "sealed share",
      "The share of one PIN: HPKE, base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.",
      {Field::Digest("commitment", "SHA-256 over context, salt and share, as the record has it"),
       Field::Shaped("enc", Base64Shape(), "the sender's one-time public key, an uncompressed point").Length(4, 100),
       Field::Shaped("ciphertext", Base64Shape(), "salt and share, encrypted").Length(4, 4000)},
      {}};
}

base::Bytes Decode(const json& half, const char* field) {
  return base::Base64Decode(half.at(field).get<std::string>()).value();
}

SealedHalf BuildHalf(const Document& document, const json& values, const char* name, Problems& problems) {
  const json& half = values.at(name);
  SealedHalf built{half.at("commitment"), Decode(half, "enc"), Decode(half, "ciphertext")};
  const Node& node = *document.root().Find(name);
  if (built.enc.size() != kPointBytes) {
    AddProblem(document, *node.Find("enc"), PlaceOf::kValue, kRuleValue,
               fmt::format("expected base64 of {} bytes, found {}", kPointBytes, built.enc.size()), "", problems);
  }
  if (built.ciphertext.size() <= kTagBytes) {
    AddProblem(document, *node.Find("ciphertext"), PlaceOf::kValue, kRuleValue,
               fmt::format("expected base64 of more than {} bytes, found {}", kTagBytes, built.ciphertext.size()), "",
               problems);
  }
  return built;
}

void BuildShare(const Document& document, const json& values, ShareFile& share, Problems& problems) {
  share.estate = values.at("estate");
  share.token = values.at("token");
  share.set = values.at("set");
  share.generation = values.at("generation");
  share.quorum = values.at("quorum");
  share.m = values.at("m");
  share.n = values.at("n");
  share.holder = values.at("holder");
  share.holder_key = values.at("holder_key");
  share.x = values.at("x");
  share.user = BuildHalf(document, values, "user", problems);
  share.security_officer = BuildHalf(document, values, "security_officer", problems);
  for (const char* name : {"m", "x"}) {
    if (values.at(name) <= share.n) continue;
    AddProblem(document, *document.root().Find(name), PlaceOf::kValue, kRuleContradiction,
               fmt::format("expected at most n, {}, found {}", share.n, values.at(name).get<int>()), "", problems);
  }
}

ordered_json Spell(const SealedHalf& half) {
  return {{"commitment", half.commitment},
          {"enc", base::Base64Encode(half.enc)},
          {"ciphertext", base::Base64Encode(half.ciphertext)}};
}

}  // namespace

const FieldTable& ShareTable() {
  static const FieldTable table{
      "share",
      "What one custodian holds of the PINs of a token, sealed to that custodian's open_key. The program writes it.",
      {FormatField(kFormat), Field::Id("estate", "the estate").Example("\"smki.example\""),
       Field::Id("token", "the token that the PINs open"),
       Field::Shaped("set", HexShape(), "names the shares that were made together").Length(32, 32),
       Field::Integer("generation", 1, 1'000'000, "counts the sets of this token, from 1"),
       Field::Id("quorum", "the quorum whose members hold the set"),
       Field::Integer("m", 1, 255, "how many shares give the PIN"), Field::Integer("n", 1, 255, "how many there are"),
       Field::Id("holder", "the person who can open this share"),
       Field::Digest("holder_key", "SHA-256 of the holder's open_key (DER SubjectPublicKeyInfo)"),
       Field::Integer("x", 1, 255, "the share's coordinate"),
       Field::Table("user", HalfTable(), "the share of the user PIN"),
       Field::Table("security_officer", HalfTable(), "the share of the security officer PIN")},
      {}};
  return table;
}

base::Result<ShareFile> ParseShare(LoadedFile file, Problems* problems) {
  const auto build = [](const Document& document, const json& values, ShareFile& share, Problems& all) {
    BuildShare(document, values, share, all);
  };
  return Parsed<ShareFile>(ShareTable(), std::move(file), problems, build);
}

base::Result<std::string> WriteShare(const ShareFile& share) {
  const ordered_json file{{"format", kFormat},
                          {"estate", share.estate},
                          {"token", share.token},
                          {"set", share.set},
                          {"generation", share.generation},
                          {"quorum", share.quorum},
                          {"m", share.m},
                          {"n", share.n},
                          {"holder", share.holder},
                          {"holder_key", share.holder_key},
                          {"x", share.x},
                          {"user", Spell(share.user)},
                          {"security_officer", Spell(share.security_officer)}};
  return Written(file, [](LoadedFile written) { return ParseShare(std::move(written)); });
}

}  // namespace ceremony::script
