#include "ceremony/x509/copy_proof.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "ceremony/x509/der_reader.h"
#include "ceremony/x509/der_writer.h"
#include "hsm/base/digest.h"
#include "hsm/base/utf8.h"

namespace ceremony::x509 {
namespace {

constexpr std::string_view kTitle = "keyceremony proof of copy";
constexpr std::uint8_t kAttributes = 0xa0;  // [0] IMPLICIT SET OF, RFC 2986 section 4.1
// unstructuredName, 1.2.840.113549.1.9.2 (RFC 2985 section 5.4.2).
constexpr std::uint8_t kUnstructuredName[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x02};

void AddName(DerWriter& der, Oid type, std::string_view value) {
  der.Nested(tag::kSet, [&] {
    der.Nested(tag::kSequence, [&] {
      der.ObjectIdentifier(type);
      der.Text(tag::kUtf8String, value);
    });
  });
}

// The rest of the line that `text` begins with, if that has this label; it is taken off.
std::optional<std::string> TakeLine(std::string_view& text, std::string_view label) {
  const std::size_t end = text.find('\n');
  if (!text.starts_with(label) || end == std::string_view::npos) return std::nullopt;
  std::string value(text.substr(label.size(), end - label.size()));
  text.remove_prefix(end + 1);
  return value;
}

bool IsHex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::optional<CopyProof> ReadText(std::string_view text) {
  const auto title = TakeLine(text, kTitle);
  const auto key = TakeLine(text, "key "), token = TakeLine(text, "token "), nonce = TakeLine(text, "nonce ");
  if (!title || !title->empty() || !key || !token || !nonce || !text.empty()) return std::nullopt;
  if (!IsHex(*key, 64) || !IsHex(*nonce, 32)) return std::nullopt;
  return CopyProof{*key, *token, *nonce, false};
}

// The public key of a CertificationRequestInfo; empty for what is none.
base::ByteView SpkiOf(base::ByteView info) {
  Findings findings(info);
  if (!CheckDer(info, findings)) return {};
  DerReader reader(ReadElement(info).element.content, "certificationRequestInfo", findings);
  const auto version = reader.Take(tag::kInteger, "version");
  const auto subject = version ? reader.Take(tag::kSequence, "subject") : std::nullopt;
  const auto spki = subject ? reader.Take(tag::kSequence, "subjectPKInfo") : std::nullopt;
  return spki ? spki->whole : base::ByteView();
}

}  // namespace

std::string CopyProofText(const CopyProof& proof) {
  return fmt::format("{}\nkey {}\ntoken {}\nnonce {}\n", kTitle, proof.spki_sha256, proof.serial, proof.nonce);
}

base::Bytes CopyProofRequest(const CopyProof& proof, base::ByteView spki) {
  DerWriter der;
  der.Nested(tag::kSequence, [&] {
    der.Integer(0);
    der.Nested(tag::kSequence, [&] {
      AddName(der, Oid::kCommonName, kTitle);
      AddName(der, Oid::kSerialNumber, proof.serial);
    });
    der.Raw(spki);
    der.Nested(kAttributes, [&] {
      der.Nested(tag::kSequence, [&] {
        der.Value(tag::kOid, kUnstructuredName);
        der.Nested(tag::kSet, [&] { der.Text(tag::kUtf8String, CopyProofText(proof)); });
      });
    });
  });
  return std::move(der).Take();
}

std::optional<CopyProof> ReadCopyProof(base::ByteView message) {
  const std::string_view text(reinterpret_cast<const char*>(message.data()), message.size());
  if (text.starts_with(kTitle)) return base::IsUtf8(text) ? ReadText(text) : std::nullopt;
  // The text is the last value of a request, which is then made once more to be compared.
  const std::size_t begin = text.rfind(kTitle);
  std::optional<CopyProof> proof = begin == std::string_view::npos ? std::nullopt : ReadText(text.substr(begin));
  const base::ByteView spki = SpkiOf(message);
  if (!proof || !base::IsUtf8(proof->serial) || spki.empty() || base::Sha256Hex(spki) != proof->spki_sha256)
    return std::nullopt;
  if (!std::ranges::equal(CopyProofRequest(*proof, spki), message)) return std::nullopt;
  proof->is_request = true;
  return proof;
}

}  // namespace ceremony::x509
