// What people have shown of their keys, and the shares that came from elsewhere.
#include <array>

#include "ceremony/record/log_audit.h"
#include "hsm/base/encoding.h"

namespace ceremony::record {

void LogAudit::OnObserve(std::uint64_t entry) {
  const std::optional<std::string_view> what = PlainString(scanner_.Find("what"));
  if (what == "key-possession") return CheckPossession(entry);
  const std::array<std::optional<std::string>, 4> texts = {
      DecodeString(scanner_.Find("token")), DecodeString(scanner_.Find("set")), DecodeString(scanner_.Find("person")),
      DecodeString(scanner_.Find("request"))};
  std::string asked;
  for (const std::optional<std::string>& text : texts) asked += text.value_or("") + "\n";
  if (what == "share-asked-elsewhere") {
    asked_elsewhere_.insert(std::move(asked));
  } else if (!asked_elsewhere_.contains(asked) && WithheldEntries() == 0) {
    findings_.Add("QUO-HANDED", entry,
                  Quoted(texts[2].value_or("")) + " handed over a share that nobody had asked for");
  }
}

// Who is appointed signs `<origin>/possession`, their id and a random value with the key that will count as theirs.
void LogAudit::CheckPossession(std::uint64_t entry) {
  const auto wrong = [&](const std::string& why) {
    findings_.Add("QUO-POSSESSION", entry, "the proof that a key is theirs " + why);
  };
  const std::string_view shown = scanner_.Find("shown");
  if (shown == "false") {
    if (scanner_.fields().mode != Mode::kRehearsal) wrong("was not asked for, outside a rehearsal");
    return;
  }
  const std::optional<std::string> person = DecodeString(scanner_.Find("person"));
  const std::optional<std::string> text = DecodeString(scanner_.Find("text"));
  const std::optional<std::string> signature = DecodeString(scanner_.Find("signature"));
  const std::optional<std::string> encoded = DecodeString(scanner_.Find("sign_key"));
  if (shown != "true" || !person || !text || !signature || !encoded) return wrong("lacks a field");
  const std::string begin = origin_ + "/possession\n" + *person + "\n";
  if (!text->starts_with(begin) || text->size() < begin.size() + 2 ||
      text->find('\n', begin.size()) != text->size() - 1) {
    return wrong("is not of this record and " + Quoted(*person));
  }
  const base::Result<base::Bytes> der = base::Base64Decode(*encoded);
  const base::Result<SignatureLine> line = SignatureLine::Parse(*signature);
  if (!der.ok() || !line.ok()) return wrong("is no signature by a key");
  base::Result<base::PublicKey> spki = base::PublicKey::FromSpki(*der);
  if (!spki.ok()) return wrong("is no signature by a key");
  const base::Result<VerifierKey> key = VerifierKey::Make(PersonKeyName(estate_, *person), std::move(spki).value());
  if (!key.ok() || !line->IsBy(*key)) return wrong("is not signed under the name of " + Quoted(*person));
  if (const base::Result<void> good = key->Verify(*text, line->signature); !good.ok())
    wrong(": " + good.error().message);
  shown_keys_.insert_or_assign(*person, *encoded);
}

// CheckAppointed: the key that was approved, the one that was proven to be theirs and the one that will count are one.
void LogAudit::CheckAppointed(const StepPast& past, const Scanner& effect, std::uint64_t entry) {
  if (PlainString(effect.Find("effect")) != "person-appointed") return;
  const std::string person = DecodeString(effect.Find("person")).value_or("");
  const std::optional<std::string> key = DecodeString(effect.Find("sign_key"));
  if (!key) return;
  const auto wrong = [&](const std::string& why) {
    findings_.Add("QUO-POSSESSION", entry, Quoted(person) + " is appointed with another key than " + why);
  };
  const auto shown = shown_keys_.find(person);
  if (shown != shown_keys_.end() && shown->second != *key) wrong("the one that they have proven to be theirs");
  const auto approved = past.approved_subject.find("sign_key_sha256");
  const base::Result<base::Bytes> der = base::Base64Decode(*key);
  if (approved != past.approved_subject.end() && (!der.ok() || base::Sha256Hex(*der) != approved->second))
    wrong("the quorum approved, which has the digest " + Quoted(approved->second));
}

}  // namespace ceremony::record
