// Estate is everything one operator has: tokens, keys and their copies,
// certificates, documents. It is never stored; it is the fold of the archive
// (fold.h), and `check` runs a script's planned effects against a copy of it.
#ifndef CEREMONY_ESTATE_ESTATE_H_
#define CEREMONY_ESTATE_ESTATE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ceremony/estate/effect.h"
#include "hsm/base/result.h"

namespace ceremony::estate {

// Provenance says where the estate learned a fact: the ceremony and the entry.
struct Provenance {
  std::string ceremony;  // folder name of the record, "0001-smki-root-oca"; "planned" in a check
  std::uint64_t entry = 0;
  std::string time;  // RFC 3339
};

// Where is a provenance in words: "ceremony 0001-smki-root-oca (entry 12)".
std::string Where(const Provenance& provenance);

// Seal is on a token, or on its packaging.
struct Seal {
  std::string number;
  Provenance since;
};

// Leg is one part of a token's way from place to place.
struct Leg {
  std::string from, to, carrier, reference;
  std::vector<std::string> escort;
  std::vector<std::string> seals;  // when it began
  std::string departed, arrived;   // RFC 3339; arrived is empty while the token is under way
  Provenance since;
};

// States of a token. A token is commissioned once its PINs are set, and in
// service once it holds a key.
inline constexpr std::string_view kOrdered = "ordered";
inline constexpr std::string_view kCommissioned = "commissioned";
inline constexpr std::string_view kInService = "in service";
inline constexpr std::string_view kInTransit = "in transit";
inline constexpr std::string_view kRetired = "retired";

struct Token {
  std::string name, label, serial, manufacturer, model, firmware, role, domain;
  std::string state;   // one of those above
  Provenance since{};  // of the state
  std::string fips{}, site{}, order{};
  std::string settled{};  // its state before it was in transit
  // As last verified: the module that speaks to it, the digest of everything on it.
  std::string module{}, module_version{}, module_sha256{}, inventory{};
  Provenance verified{};
  std::vector<Seal> seals{};
  std::vector<Leg> legs{};  // in order; the last one may be under way

  bool retired() const { return state == kRetired; }
  // usable: it can be logged in to, and used.
  bool usable() const { return state == kCommissioned || state == kInService; }
  std::vector<std::string> SealNumbers() const;  // ascending
};

// WrappedFor is the `token` of a copy that is a wrapped file, for people and in effects. It contains a blank, so it
// cannot be a token's name.
std::string WrappedFor(std::string_view transport_key);  // "file for transport-2027"

// The usage of a transport key: it signs nothing. That of all other keys is "sign".
inline constexpr std::string_view kUnwraps = "unwrap";

// Copy is one key on one token, or in a file.
struct Copy {
  std::string token;  // or WrappedFor
  std::string serial;
  std::string object_id;
  std::string kind;  // "original", "clone", or "wrapped": a file; the holder of the transport key can open it
  Provenance since;
  bool extractable = false;  // it may be wrapped for another clone
  // Or "destroyed": its objects are gone; "retired": gone with its token; "elsewhere": a document accounts for it;
  // "void": a file whose transport key is destroyed.
  std::string state = "in place";
  std::string way{};                 // of a clone: how it came here; of a file: its transport
  Provenance ended{};                // since when it is no longer "in place"
  std::string transport_key{};       // of a file
  std::string artefact{}, sha256{};  // likewise: the file, in the record of `since`
  // Where its destruction was begun by a step that has not ended; no ceremony: nowhere. The token may have it or not.
  Provenance destroying{};

  bool in_place() const { return state == "in place"; }
};

// KeyUse is the newest statement about the use of a key.
struct KeyUse {
  std::int64_t count = 0;
  std::string first_use, last_use, stated_by, statement;
  Provenance since;
};

// Owner is the one name that a key is certified under (R1): the subject, or the
// subjectAltName if the subject is empty (a device). Two owners are the same if
// RFC 5280 section 7.1 calls their names the same, however they are encoded.
struct Owner {
  std::string subject;      // for people
  std::string subject_der;  // base64; empty in records of 0.1.0
  std::string alternative_name;
  std::string alternative_name_der{};  // base64; of an imported key, what its request asks for

  bool empty() const { return subject.empty() && alternative_name.empty(); }
  bool IsSame(const Owner& other) const;
  std::string Text() const;
};

struct Key {
  std::string name, algorithm, usage, spki_sha256;
  std::string state;         // "active", "deactivated", "held", "compromised", "destroyed";
                             // "outside": imported, only its public half is known
  bool extractable = false;  // of the original, when it was made
  std::vector<Copy> copies;  // all that ever existed
  Provenance since;
  std::string domain{};          // PKI domain of the token that made it
  std::optional<KeyUse> use{};   // nullopt: nobody has made a statement
  std::string deactivated_on{};  // RFC 3339
  std::string deactivated_because{};
  std::string cap_reached_on{};
  std::int64_t minutes_since_cap = 0;
  std::string hold_until{};               // the day; empty: not held
  Provenance changed{};                   // of a state that is not "active"
  Owner owner{};                          // of its first certificate or request
  std::string carries{};                  // of a transport key: the key that comes under it
  std::vector<std::string> transports{};  // of a transport key: what its token can take in, best first

  bool is_transport_key() const { return usage == kUnwraps; }
  // is_held: it is kept until a day. A compromised key may be held, too.
  bool is_held() const { return !hold_until.empty() && state != "destroyed"; }
  // is_out_of_use: it no longer signs.
  bool is_out_of_use() const { return state != "active" && state != "outside"; }

  // FindCopy returns the copy in place on a token, nullptr if there is none.
  const Copy* FindCopy(std::string_view token) const;
  // NoCopyOn says why FindCopy finds none: EST-COPY-03, or EST-COPY-04 if there was one.
  base::Error NoCopyOn(std::string_view token) const;
  std::vector<const Copy*> CopiesInPlace() const;
  // CopiesOnTokens leaves out files: they are lost with their transport key.
  std::vector<const Copy*> CopiesOnTokens() const;
};

struct Certificate {
  std::string name, profile, key, issuer_key, subject, serial, not_before, not_after, sha256, artefact;
  Provenance since;
  std::string issuer_certificate{}, subject_der{}, alternative_name{}, spki_sha256{}, subject_key_id{}, key_usage{};
  bool ca = false;
  std::int64_t path_length = -1;  // -1: no limit
  // Empty unless it is revoked.
  std::string revoked_on{}, revocation_reason{}, revoked_by{};  // by: name of the CRL
  bool revoked() const { return !revoked_by.empty(); }
};

// Request is a certificate request that a key of the estate signed.
struct Request {
  std::string name, profile, key, subject, subject_der, alternative_name, sha256, artefact;
  Provenance since;
};

struct Crl {
  std::string name, profile, issuer_key, issuer, issuer_der, issuer_certificate;
  std::int64_t number = 0;
  std::string this_update, next_update;
  std::int64_t revoked = 0;
  std::string sha256, artefact;
  Provenance since;
};

struct Document {
  std::string name, kind, sha256;
  Provenance since;
};

// Person was appointed or retired by a ceremony. It leaves out people of the first
// roster who were neither.
struct Person {
  std::string id, name, employer, domain, site, role, sign_key, open_key;
  std::string state;   // "active", "leaving", "left"
  std::string on;      // the day of that state
  std::string reason;  // of retiring
  // The day when they took up the role, and its ceremony; empty for people of the first roster.
  std::string appointed_on;
  Provenance appointed;
  Provenance since;  // of the state
};

// ShareSet is one set of shares of a token's PINs.
struct ShareSet {
  std::string token, set;
  std::int64_t generation = 0;
  std::string quorum;
  std::int64_t m = 0;
  std::vector<ShareHolder> holders;
  Provenance since;      // the record that holds its files
  bool retired = false;  // a newer set opens the token

  // FindHolder returns nullptr for a person without a share of it.
  const ShareHolder* FindHolder(std::string_view person) const;
};

class Estate final {
 public:
  // Apply applies one effect. It refuses an effect that contradicts the estate
  // (kRefused with a rule id), and then changes nothing:
  //   EST-TOKEN-01  the token's name is in use        EST-TOKEN-02  its serial is
  //   EST-TOKEN-03  an unknown token is referred to
  //   EST-TOKEN-04  the token's state does not allow it (ordered, in transit, retired)
  //   EST-TOKEN-05  serial, maker, model or domain are not those that were registered
  //   EST-TOKEN-06  firmware or module are not those that the estate knows
  //   EST-SEAL-01   a seal's number is or was in use   EST-SEAL-02  it is not on the token
  //   EST-CUSTODY-01  a token leaves while under way, or arrives while not under way
  //   EST-CUSTODY-02  the seals are not those it left with
  //   EST-CUSTODY-03  it leaves a place where it is not, arrives where it was not sent, or changes place without a leg
  //   EST-CUSTODY-04  it arrives before it left
  //   EST-RETIRE-01 this token has the last copy on any token of an active key
  //   EST-RETIRE-02 or of another key that is not destroyed
  //   EST-FIRMWARE-01 a key on the token was not shown to have survived
  //   EST-KEY-01    the key's name is in use
  //   EST-KEY-02    the public key already belongs to another key (R1)
  //   EST-KEY-03    an unknown key is referred to
  //   EST-KEY-04    the key is destroyed
  //   EST-KEY-05    the key is out of use, and is to sign a certificate
  //   EST-KEY-06    the key is out of use already, or compromised already
  //   EST-COPY-01   the key has a copy on that token
  //   EST-COPY-02   the copy to be cloned is sealed
  //   EST-COPY-03   the key has no copy on that token
  //   EST-COPY-04   that copy is destroyed or accounted for already
  //   EST-COPY-05   the token belongs to another PKI domain than the key (R35)
  //   EST-COPY-06   the copy is another key
  //   EST-KEY-07    a transport key is to sign
  //   EST-KEY-08    the key is out of use or a transport key, and is to be certified
  //   EST-TRANSPORT-01  a key is to leave under a key that is no transport key in use
  //   EST-TRANSPORT-02  or under a transport key that was made for another key
  //   EST-TRANSPORT-03  or by a transport that the receiving token does not support
  //   EST-TRANSPORT-04  or a second time under one transport key
  //   EST-TRANSPORT-05  or to a token that has a copy of it already
  //   EST-TRANSPORT-06  a transport key is destroyed, and a key would be lost with the file that it opens
  //   EST-USE-01    a statement of use contradicts an earlier one
  //   EST-HOLD-01   the hold ends before the key was deactivated
  //   EST-HOLD-02   a held key is destroyed before the end of its hold, without a reason
  //   EST-DESTROY-01  a copy of a key that is to be destroyed is not accounted for (R13)
  //   EST-NAME-01   the key belongs to another name (R1)    EST-NAME-02   or a CA's name has other bytes than before
  //   EST-CERT-01   the certificate's name is in use
  //   EST-CERT-02   its issuer already used that serial (RFC 5280 4.1.2.2)
  //   EST-CERT-03   an unknown certificate is referred to
  //   EST-CERT-04   it is revoked already
  //   EST-CERT-05   its public key is not that of the key it names
  //   EST-CRL-01    the CRL's name is in use
  //   EST-CRL-02    its number is not above that of its issuer's last (RFC 5280 5.2.3)
  //   EST-REQUEST-01  the request's name is in use
  //   EST-PERSON-01 the person's id is or was in use
  //   EST-PERSON-02 a key of the person already belongs to somebody
  //   EST-PERSON-03 the person is retired already
  //   EST-SHARES-01 the set exists already
  //   EST-SHARES-02 its generation does not follow that of the token's last set
  base::Result<void> Apply(const Effect& effect, const Provenance& provenance);

  // Find returns nullptr when there is none; the pointer lives until the next Apply.
  const Token* FindToken(std::string_view name) const;
  const Token* FindTokenBySerial(std::string_view serial) const;
  // BeginDestruction takes down that a step went about destroying a copy. Once the step has ended, its effects say what
  // came of it; where it never did, the copy may be gone. A copy that is not known, or not in place, is passed over.
  void BeginDestruction(std::string_view key, std::string_view token, const Provenance& where);

  const Key* FindKey(std::string_view name) const;
  const Key* FindKeyBySpki(std::string_view spki_sha256) const;
  const Certificate* FindCertificate(std::string_view name) const;
  const Crl* FindCrl(std::string_view name) const;
  // FindLastCrl returns the CRL of this issuer (base64 of its name) with the highest number.
  const Crl* FindLastCrl(std::string_view issuer_der) const;
  const Request* FindRequest(std::string_view name) const;

  const Person* FindPerson(std::string_view id) const;

  // MayUse refuses a key that is unknown (EST-KEY-03) or destroyed (EST-KEY-04);
  // MaySign also one that is out of use (EST-KEY-05) or a transport key (EST-KEY-07); MayBeCertified both, as the
  // subject (EST-KEY-08). `what` is the use, in words.
  base::Result<void> MayUse(const std::string& key, const std::string& what) const;
  base::Result<void> MaySign(const std::string& key, const std::string& what) const;
  base::Result<void> MayBeCertified(const std::string& key, const std::string& what) const;
  // KeysToDestroy lists the keys whose hold has ended on a day ("2028-11-28"), oldest first, also compromised ones.
  std::vector<const Key*> KeysToDestroy(std::string_view day) const;

  // KeysOn lists the keys that have a copy in place on the named token.
  std::vector<const Key*> KeysOn(std::string_view token) const;

  // FindShares returns the set that opens a token now; nullptr when its PINs are not shared.
  const ShareSet* FindShares(std::string_view token) const;
  // TokensOpenedBy lists the tokens whose current set includes a share of the person.
  std::vector<std::string> TokensOpenedBy(std::string_view person) const;
  // FindShareSet finds any set ever issued by its id.
  const ShareSet* FindShareSet(std::string_view set) const;

  const std::vector<Token>& tokens() const { return tokens_; }
  const std::vector<Key>& keys() const { return keys_; }
  const std::vector<Certificate>& certificates() const { return certificates_; }
  const std::vector<Request>& requests() const { return requests_; }
  const std::vector<Crl>& crls() const { return crls_; }
  const std::vector<Document>& documents() const { return documents_; }
  const std::vector<Person>& people() const { return people_; }

 private:
  base::Result<void> Take(const TokenCommissioned& effect, const Provenance& provenance);
  base::Result<void> Take(const KeyCreated& effect, const Provenance& provenance);
  base::Result<void> Take(const CertificateIssued& effect, const Provenance& provenance);
  base::Result<void> Take(const DocumentLodged& effect, const Provenance& provenance);
  base::Result<void> Take(const PersonAppointed& effect, const Provenance& provenance);
  base::Result<void> Take(const PersonRetired& effect, const Provenance& provenance);
  base::Result<void> Take(const SharesIssued& effect, const Provenance& provenance);
  base::Result<void> Take(const KeyCloned& effect, const Provenance& provenance);
  base::Result<void> Take(const TransportKeyCreated& effect, const Provenance& provenance);
  base::Result<void> Take(const KeyExported& effect, const Provenance& provenance);
  base::Result<void> Take(const KeySealed& effect, const Provenance& provenance);
  base::Result<void> Take(const KeyUsageStated& effect, const Provenance& provenance);
  base::Result<void> Take(const KeyDeactivated& effect, const Provenance& provenance);
  base::Result<void> Take(const KeyCompromised& effect, const Provenance& provenance);
  base::Result<void> Take(const CopyDestroyed& effect, const Provenance& provenance);
  base::Result<void> Take(const KeyDestroyed& effect, const Provenance& provenance);
  // KeyNamed finds a key that an effect changes. It refuses as MayUse does.
  base::Result<Key*> KeyNamed(const std::string& key, const std::string& what);
  base::Result<void> Take(const KeyImported& effect, const Provenance& provenance);
  base::Result<void> Take(const RequestCreated& effect, const Provenance& provenance);
  base::Result<void> Take(const CertificateRevoked& effect, const Provenance& provenance);
  base::Result<void> Take(const CrlIssued& effect, const Provenance& provenance);
  // IsNewKey refuses a name or a public key that is in use.
  base::Result<void> IsNewKey(const std::string& name, const std::string& spki_sha256) const;
  // Own gives the key its owner, and refuses a different one.
  base::Result<void> Own(const std::string& key, const Owner& owner, const std::string& what);

  base::Result<void> Take(const TokenRegistered& effect, const Provenance& provenance);
  base::Result<void> Take(const TokenVerified& effect, const Provenance& provenance);
  base::Result<void> Take(const SealsChanged& effect, const Provenance& provenance);
  base::Result<void> Take(const TokenMoved& effect, const Provenance& provenance);
  base::Result<void> Take(const TokenRetired& effect, const Provenance& provenance);
  base::Result<void> Take(const FirmwareChanged& effect, const Provenance& provenance);

  // UsableToken finds a token on which keys can be made or copied: EST-TOKEN-03,
  // EST-TOKEN-04. `what` begins the message.
  base::Result<Token*> UsableToken(const std::string& name, const std::string& what);
  // MayRetire refuses while a key would be lost with the token (EST-RETIRE-01, -02).
  base::Result<void> MayRetire(const Token& token) const;
  // MayVoidFiles refuses while a key would be lost with the files that a transport key opens (EST-TRANSPORT-06).
  base::Result<void> MayVoidFiles(const Key& transport_key) const;
  // PutInService notes that a token holds a key from now on.
  static void PutInService(Token& token, const Provenance& provenance);
  // AddKey and AddCertificate keep the index of names with the list.
  void AddKey(Key key);
  void AddCertificate(Certificate certificate);

  // Index finds places in a list by name. Lists have tens of thousands of items.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Index = std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>>;

  std::vector<Token> tokens_;
  std::vector<Key> keys_;
  std::vector<Certificate> certificates_;
  std::vector<Request> requests_;
  std::vector<Crl> crls_;
  std::vector<Document> documents_;
  std::vector<Person> people_;
  std::vector<ShareSet> share_sets_;
  Index key_names_, key_spkis_, certificate_names_, certificate_serials_;  // serials: issuer key, blank, serial
  Index seals_;  // every number ever used, with the place of its token in tokens_
};

}  // namespace ceremony::estate

#endif  // CEREMONY_ESTATE_ESTATE_H_
