// CRLs held against their profile, and two decoders against each other.
#include <fmt/format.h>

#include <algorithm>

#include "ceremony/x509/asn1_time.h"
#include "ceremony/x509/certificate.h"
#include "ceremony/x509/crl.h"
#include "ceremony/x509/crl_value.h"
#include "ceremony/x509/issue_parts.h"
#include "ceremony/x509/name.h"
#include "hsm/base/encoding.h"

namespace ceremony::x509 {
namespace {

std::string Spelled(const ExtensionView* extension) {
  if (extension == nullptr) return "(absent)";
  return (extension->critical ? "critical, " : "") + ExtensionText(*extension);
}

std::string EntryText(const RevokedView& entry) {
  std::string text = "revoked " + parts::TimeText(entry.revoked_at);
  for (const ExtensionView& extension : entry.extensions())
    text += fmt::format(", {}{} {}", extension.critical ? "critical " : "", OidText(extension.oid),
                        ExtensionText(extension));
  return text;
}

std::string RevocationText(const Revocation& revocation) {
  std::string text = "revoked " + ReadableTime(revocation.revoked_at);
  for (const CrlExtensionValue& extension : EntryExtensionsOf(revocation))
    text += fmt::format(", {} {}", FactsOf(extension.type).name, extension.text);
  return text;
}

class CrlComparer final {
 public:
  CrlComparer(const TbsCertListView& tbs, const CrlProfile& profile, const CrlInput* input, const std::uint8_t* start)
      : tbs_(tbs), profile_(profile), input_(input), start_(start) {}

  Comparison Run() && {
    Add("version", "2", std::to_string(tbs_.version), tbs_.version == 2, tbs_.whole);
    Add("signature algorithm", std::string(FactsOf(profile_.signature_algorithm).name),
        parts::AlgorithmText(tbs_.signature.whole),
        std::ranges::equal(tbs_.signature.whole, IdentifierOf(profile_.signature_algorithm)), tbs_.signature.whole);
    if (input_ != nullptr)
      Add("issuer", NameText(input_->authority.name), NameText(tbs_.issuer),
          std::ranges::equal(input_->authority.name, tbs_.issuer), tbs_.issuer);
    Times();
    if (input_ != nullptr) {
      Entries();
      Known();
    } else {
      EntriesByShape();
      Shaped();
    }
    return std::move(comparison_);
  }

 private:
  void Add(std::string field, std::string says, std::string has, bool equal, base::ByteView where) {
    const std::size_t offset = where.data() == nullptr ? 0 : static_cast<std::size_t>(where.data() - start_);
    comparison_.Add({std::move(field), std::move(says), std::move(has), equal, offset});
  }

  void Times() {
    const auto this_update = tbs_.this_update.seconds;
    if (input_ != nullptr)
      Add("this update", ReadableTime(input_->this_update), parts::TimeText(tbs_.this_update),
          this_update == input_->this_update, tbs_.this_update.whole);
    const auto next = NextUpdateOf(profile_.next_update, this_update.value_or(0));
    const bool present = tbs_.next_update.has_value();
    Add("next update",
        next ? fmt::format("{} ({} later)", ReadableTime(*next), CrlIntervalText(profile_.next_update))
             : next.error().message,
        present ? parts::TimeText(*tbs_.next_update) : "(absent)",
        next.ok() && present && this_update.has_value() && tbs_.next_update->seconds == *next,
        present ? tbs_.next_update->whole : tbs_.this_update.whole);
  }

  // Entry by entry, in the order of the input.
  void Entries() {
    Add("revoked certificates", std::to_string(input_->revocations.size()), std::to_string(tbs_.revoked_count),
        input_->revocations.size() == tbs_.revoked_count, tbs_.revoked_whole);
    Findings findings(tbs_.whole);
    RevokedReader reader(tbs_.revoked, findings);
    for (const Revocation& revocation : input_->revocations) {
      const auto entry = reader.Next();
      const std::string field = "revoked " + base::HexEncode(revocation.serial);
      const std::string says = RevocationText(revocation);
      if (!entry) {
        Add(field, says, "(absent)", false, tbs_.revoked_whole);
        continue;
      }
      const bool same_serial = std::ranges::equal(entry->serial, revocation.serial);
      const std::string has = EntryText(*entry);
      Add(field, says, same_serial ? has : fmt::format("{} {}", base::HexEncode(entry->serial), has),
          same_serial && has == says && SameExtensions(*entry, revocation), entry->whole);
    }
    while (const auto entry = reader.Next())
      Add("revoked " + base::HexEncode(entry->serial), "(absent)", EntryText(*entry), false, entry->whole);
  }

  // The bytes and the words are made by different code; both must agree.
  static bool SameExtensions(const RevokedView& entry, const Revocation& revocation) {
    const auto wanted = EntryExtensionsOf(revocation);
    if (wanted.size() != entry.extension_count) return false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const ExtensionView& has = entry.extension_list.at(i);
      if (has.known != wanted[i].type || has.critical != wanted[i].critical ||
          !std::ranges::equal(has.value, wanted[i].der))
        return false;
    }
    return true;
  }

  void EntriesByShape() {
    Findings findings(tbs_.whole);
    RevokedReader reader(tbs_.revoked, findings);
    while (const auto entry = reader.Next()) {
      const ExtensionView* reason = entry->Find(Oid::kReasonCode);
      const ExtensionView* since = entry->Find(Oid::kInvalidityDate);
      const auto allowed = [](Use use, bool given) {
        return use == Use::kOptional || (use == Use::kRequired) == given;
      };
      bool equal = allowed(profile_.reason, reason != nullptr) && allowed(profile_.invalidity_date, since != nullptr);
      std::string says = "a reason of:";
      for (const RevocationReason each : profile_.reasons)
        says += fmt::format(" {}", RevocationReasonName(static_cast<std::uint32_t>(each)));
      if (reason != nullptr)
        equal = equal && std::any_of(profile_.reasons.begin(), profile_.reasons.end(), [&](RevocationReason each) {
                  return RevocationReasonName(static_cast<std::uint32_t>(each)) == ExtensionText(*reason);
                });
      const std::size_t known = (reason != nullptr ? 1U : 0U) + (since != nullptr ? 1U : 0U);
      if (equal && known == entry->extension_count) continue;  // a row for each of 100,000 entries helps nobody
      Add("revoked " + base::HexEncode(entry->serial), says, EntryText(*entry), false, entry->whole);
    }
    Add("revoked certificates", "any number", std::to_string(tbs_.revoked_count), true, tbs_.revoked_whole);
  }

  void Row(std::size_t place, Oid type, bool critical, const std::string& text, bool same_value) {
    const ExtensionView* extension = tbs_.Find(type);
    const bool in_place = extension != nullptr && extension == tbs_.extensions().data() + place;
    Add(fmt::format("extension {}", FactsOf(type).name), (critical ? "critical, " : "") + text, Spelled(extension),
        in_place && extension->critical == critical && same_value,
        extension == nullptr ? tbs_.extensions_whole : extension->whole);
  }

  void Surplus(std::size_t wanted) {
    for (std::size_t i = wanted; i < tbs_.extension_count; ++i) {
      const ExtensionView& extension = tbs_.extension_list.at(i);
      Add("extension " + OidText(extension.oid), "(absent)", Spelled(&extension), false, extension.whole);
    }
  }

  void Known() {
    const auto wanted = CrlExtensionsOf(profile_, *input_);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const ExtensionView* has = tbs_.Find(wanted[i].type);
      Row(i, wanted[i].type, wanted[i].critical, wanted[i].text,
          has != nullptr && std::ranges::equal(has->value, wanted[i].der) && ExtensionText(*has) == wanted[i].text);
    }
    Surplus(wanted.size());
  }

  void Shaped() {
    const ExtensionView* authority = tbs_.Find(Oid::kAuthorityKeyIdentifier);
    const std::string text = authority == nullptr ? "" : ExtensionText(*authority);
    const bool alone = text.find(", ") == std::string::npos;
    const bool both = text.find(", issuer ") != std::string::npos && text.find(", serial ") != std::string::npos;
    const bool wants_alone = profile_.authority_key == AuthorityKeyForm::kKeyIdentifier;
    Row(0, Oid::kAuthorityKeyIdentifier, false, wants_alone ? "key identifier" : "key identifier, issuer, serial",
        text.starts_with("key identifier ") && (wants_alone ? alone : both));
    Row(1, Oid::kCrlNumber, false, "any number", true);
    std::size_t count = 2;
    if (profile_.issuing_distribution_point) {
      const CrlExtensionValue point = PointValueOf(*profile_.issuing_distribution_point);
      const ExtensionView* has = tbs_.Find(point.type);
      Row(count++, point.type, true, point.text,
          has != nullptr && std::ranges::equal(has->value, point.der) && ExtensionText(*has) == point.text);
    }
    Surplus(count);
  }

  const TbsCertListView& tbs_;
  const CrlProfile& profile_;
  const CrlInput* input_;
  const std::uint8_t* start_;
  Comparison comparison_{"CRL"};
};

std::vector<CrlExtensionFields> Spell(std::span<const ExtensionView> extensions) {
  std::vector<CrlExtensionFields> all;
  for (const ExtensionView& extension : extensions)
    all.push_back(
        {OidText(extension.oid), extension.critical, ExtensionText(extension), base::HexEncode(extension.value)});
  return all;
}

std::string Join(const std::vector<CrlExtensionFields>& extensions) {
  std::string text;
  for (const CrlExtensionFields& each : extensions)
    text += fmt::format("{}{} {}{} [{}]", text.empty() ? "" : ", ", each.name, each.critical ? "critical, " : "",
                        each.text, each.der_hex);
  return text;
}

}  // namespace

Comparison CompareCertListWithProfile(const TbsCertListView& tbs, const CrlProfile& profile, const CrlInput* input,
                                      const std::uint8_t* file_start) {
  return CrlComparer(tbs, profile, input, file_start).Run();
}

CrlFields CrlFieldsOf(const TbsCertListView& tbs) {
  CrlFields fields;
  fields.version = tbs.version;
  fields.signature_algorithm = parts::AlgorithmText(tbs.signature.whole);
  fields.issuer = NameText(tbs.issuer);
  fields.issuer_der_hex = base::HexEncode(tbs.issuer);
  fields.this_update = parts::TimeText(tbs.this_update);
  fields.next_update = tbs.next_update ? parts::TimeText(*tbs.next_update) : "(absent)";
  Findings findings(tbs.whole);
  RevokedReader entries(tbs.revoked, findings);
  while (const auto entry = entries.Next())
    fields.revoked.push_back(
        {base::HexEncode(entry->serial), parts::TimeText(entry->revoked_at), Spell(entry->extensions())});
  fields.extensions = Spell(tbs.extensions());
  return fields;
}

Comparison CompareCrlDecoders(const CrlFields& openssl, const CrlFields& ours) {
  Comparison comparison("CRL");
  const auto add = [&](std::string field, const std::string& a, const std::string& b) {
    comparison.Add({std::move(field), a, b, a == b, 0});
  };
  add("version", std::to_string(openssl.version), std::to_string(ours.version));
  add("signature algorithm", openssl.signature_algorithm, ours.signature_algorithm);
  add("issuer", openssl.issuer, ours.issuer);
  add("issuer DER", openssl.issuer_der_hex, ours.issuer_der_hex);
  add("this update", openssl.this_update, ours.this_update);
  add("next update", openssl.next_update, ours.next_update);
  add("extensions", Join(openssl.extensions), Join(ours.extensions));
  add("revoked certificates", std::to_string(openssl.revoked.size()), std::to_string(ours.revoked.size()));
  for (std::size_t i = 0; i < std::min(openssl.revoked.size(), ours.revoked.size()); ++i) {
    const auto spell = [](const RevokedFields& entry) {
      return fmt::format("{} {} {}", entry.serial_hex, entry.revoked_at, Join(entry.extensions));
    };
    add("entry " + std::to_string(i + 1), spell(openssl.revoked[i]), spell(ours.revoked[i]));
  }
  return comparison;
}

}  // namespace ceremony::x509
