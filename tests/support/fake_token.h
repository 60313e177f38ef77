// FakeCryptoki is a PKCS#11 module in memory: it really makes keys and really
// signs, it is as picky as the strictest token, and it can be told to have every
// bad habit that we have met.
//
// FakeDevice is the hardware: it lives on when a module is thrown away without
// C_Finalize, as a token does when the process is killed, and it can be copied,
// so that a test can go back to an earlier state. FakeCryptoki is the library of
// one process: sessions, logins, session objects. One thread at a time.
#ifndef TESTS_SUPPORT_FAKE_TOKEN_H_
#define TESTS_SUPPORT_FAKE_TOKEN_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hsm/cryptoki.h"
#include "tests/support/fake_crypto.h"

namespace support {

using base::Bytes;
using base::ByteView;
using Attributes = std::map<CK_ATTRIBUTE_TYPE, Bytes>;

// What a token does wrong. The default token does nothing wrong.
struct FakeHabits {
  // Keys. SENSITIVE and EXTRACTABLE of the template are taken as false and true.
  bool generate_ignores_protection = false;
  bool unwrap_ignores_protection = false;
  bool refuses_repair = false;     // C_SetAttributeValue: CKR_ATTRIBUTE_READ_ONLY
  bool wraps_sealed_keys = false;  // C_WrapKey does not look at EXTRACTABLE
  bool ignores_wrap_with_trusted = false;
  bool repeats_key = false;            // each key pair of an algorithm is the first one again
  bool mismatches_public_key = false;  // the public object is that of another key
  bool loses_id = false;               // new objects have an empty CKA_ID
  bool never_extractable = false;      // EXTRACTABLE=true is CKR_ATTRIBUTE_VALUE_INVALID (tpm2-pkcs11)
  bool destroy_is_a_lie = false;       // C_DestroyObject says CKR_OK and does nothing

  // Forms.
  bool raw_ec_point = false;
  bool modulus_with_leading_zero = false;
  enum class PublicInfo { kAbsent, kEmpty, kPresent } public_key_info = PublicInfo::kEmpty;
  enum class EdwardsParams { kBoth, kOid, kName } edwards_params = EdwardsParams::kBoth;
  CK_MECHANISM_TYPE kwp_mechanism = CKM_AES_KEY_WRAP_KWP;  // the number that is RFC 5649
  bool unwrap_needs_nss_db = false;                        // EC keys need CKA_NSS_DB

  // Signatures. kTruncated lacks its last byte; kStripped has r and s without
  // leading zeros; kConstant is the first signature again; kDer is DER for raw.
  enum class Signatures {
    kGood,
    kWrong,
    kTruncated,
    kStripped,
    kHighS,
    kConstant,
    kDer,
    kEmpty
  } signatures = Signatures::kGood;

  // Lengths and counts that cannot be.
  bool absurd_attribute_lengths = false;  // ulValueLen 2^40 when asked for the size
  bool growing_attributes = false;        // CKR_BUFFER_TOO_SMALL although the size was asked for
  bool absurd_find_count = false;         // C_FindObjects counts more than its array holds
  bool lists_twice = false;               // C_FindObjects lists each object two times
  bool lists_forever = false;             // C_FindObjects never comes to an end
  bool forgets_final = false;             // the next C_FindObjectsFinal fails and leaves the search open
  bool absurd_slot_count = false;         // C_GetSlotList: 2^40 slots
  bool absurd_signature_length = false;   // C_Sign: 2^40 bytes

  // Attributes that are reported with this value, whatever they are: of all objects, and of private keys alone.
  Attributes lies;
  Attributes lies_of_private_keys;

  // Token life.
  std::size_t object_capacity = 1000;  // beyond it CKR_DEVICE_MEMORY
  unsigned pin_tries = 3;
  CK_ULONG pin_min = 4;
  CK_ULONG pin_max = 255;
  bool protected_path = false;                // PINs are entered on the token; a null PIN is one, see pin_pad
  bool constant_random = false;               // C_GenerateRandom fills with 0x42
  bool serial_only_when_initialised = false;  // as SoftHSM
  bool init_token_keeps_objects = false;

  // What the next C_GenerateKeyPair leaves behind when the power goes in the
  // middle of it: it calls FakeDevice::power_cut and fails with CKR_DEVICE_ERROR.
  enum class Torn { kNo, kNothing, kPublicAlone, kPrivateAlone, kWithoutId, kWithoutClass } torn = Torn::kNo;
};

struct FakeObject {
  Attributes attributes;
  crypto::Key key;                      // for keys; never changes
  CK_SESSION_HANDLE owner_session = 0;  // 0: a token object
  CK_RV read_rv = CKR_OK;               // what C_GetAttributeValue returns for it, when it is torn
  CK_RV destroy_rv = CKR_OK;            // the same for C_DestroyObject
};

struct FakeSlot {
  CK_SLOT_ID id = 0;
  std::string serial;
  std::string manufacturer = "Fake HSM Works";
  std::string model = "Fake Mk I";
  CK_VERSION firmware{1, 7};
  FakeHabits habits;
  std::vector<CK_MECHANISM_TYPE> mechanisms;  // a subset of FakeMechanisms()
  // Flags of mechanisms that do less on this token than a fake can do.
  std::map<CK_MECHANISM_TYPE, CK_FLAGS> fewer_flags;
  bool pulled = false;       // the token is out of its slot
  unsigned short_reads = 0;  // calls of C_GetAttributeValue with a buffer that was too small
  std::string pin_pad;       // what people type on the token itself

  bool initialised = false;
  std::string label;
  Bytes so_pin;
  std::optional<Bytes> user_pin;
  unsigned so_failures = 0;
  unsigned user_failures = 0;
  std::map<CK_ULONG, FakeObject> objects;  // token objects by number
  std::map<std::string, crypto::Key> first_keys;
  Bytes first_signature;
};

// FakeMechanisms lists every mechanism that the fake can do.
std::vector<CK_MECHANISM_TYPE> FakeMechanisms();

struct FakeDevice {
  std::string manufacturer = "Fake HSM Works";
  std::string description = "PKCS#11 in memory";
  std::vector<FakeSlot> slots;
  bool grows_free_slots = false;  // C_GetSlotList(NULL) adds a slot when all are taken (SoftHSM)
  bool renumbers_slots = true;    // a token that was initialised has a new slot id after C_Initialize
  std::function<void()> power_cut;
  unsigned initialisations = 0;
  CK_ULONG next_number = 1;

  // AddSlot adds a slot with an uninitialised token and returns its index.
  std::size_t AddSlot(std::string serial);
  // AddToken adds an initialised one with an SO PIN and a user PIN.
  std::size_t AddToken(std::string serial, std::string label, std::string_view so_pin, std::string_view user_pin);
};

class FakeCryptoki final : public hsm::CryptokiApi {
 public:
  explicit FakeCryptoki(std::shared_ptr<FakeDevice> device) : device_(std::move(device)) {}

  CK_RV Initialize(void* arguments) override;
  CK_RV Finalize() override;
  CK_RV GetInfo(CK_INFO* info) override;
  CK_RV GetSlotList(CK_BBOOL token_present, CK_SLOT_ID* slots, CK_ULONG* count) override;
  CK_RV GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO* info) override;
  CK_RV GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) override;
  CK_RV GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE* mechanisms, CK_ULONG* count) override;
  CK_RV GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE mechanism, CK_MECHANISM_INFO* info) override;
  CK_RV InitToken(CK_SLOT_ID slot, CK_UTF8CHAR* pin, CK_ULONG pin_size, CK_UTF8CHAR* label) override;
  CK_RV InitPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* pin, CK_ULONG pin_size) override;
  CK_RV SetPin(CK_SESSION_HANDLE session, CK_UTF8CHAR* old_pin, CK_ULONG old_size, CK_UTF8CHAR* new_pin,
               CK_ULONG new_size) override;
  CK_RV OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE* session) override;
  CK_RV CloseSession(CK_SESSION_HANDLE session) override;
  CK_RV GetSessionInfo(CK_SESSION_HANDLE session, CK_SESSION_INFO* info) override;
  CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR* pin, CK_ULONG pin_size) override;
  CK_RV Logout(CK_SESSION_HANDLE session) override;
  CK_RV CreateObject(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count,
                     CK_OBJECT_HANDLE* object) override;
  CK_RV DestroyObject(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) override;
  CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                          CK_ULONG count) override;
  CK_RV SetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE* attributes,
                          CK_ULONG count) override;
  CK_RV FindObjectsInit(CK_SESSION_HANDLE session, CK_ATTRIBUTE* attributes, CK_ULONG count) override;
  CK_RV FindObjects(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE* objects, CK_ULONG capacity, CK_ULONG* count) override;
  CK_RV FindObjectsFinal(CK_SESSION_HANDLE session) override;
  CK_RV SignInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) override;
  CK_RV Sign(CK_SESSION_HANDLE session, CK_BYTE* data, CK_ULONG data_size, CK_BYTE* signature,
             CK_ULONG* signature_size) override;
  CK_RV GenerateKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* attributes, CK_ULONG count,
                    CK_OBJECT_HANDLE* key) override;
  CK_RV GenerateKeyPair(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_ATTRIBUTE* public_attributes,
                        CK_ULONG public_count, CK_ATTRIBUTE* private_attributes, CK_ULONG private_count,
                        CK_OBJECT_HANDLE* public_key, CK_OBJECT_HANDLE* private_key) override;
  CK_RV WrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE wrapping_key, CK_OBJECT_HANDLE key,
                CK_BYTE* wrapped, CK_ULONG* wrapped_size) override;
  CK_RV UnwrapKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE unwrapping_key, CK_BYTE* wrapped,
                  CK_ULONG wrapped_size, CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) override;
  CK_RV DeriveKey(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE base_key,
                  CK_ATTRIBUTE* attributes, CK_ULONG count, CK_OBJECT_HANDLE* key) override;
  CK_RV GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE* out, CK_ULONG size) override;

 private:
  // A cryptographic operation between its Init and its last call.
  struct Operation {
    CK_MECHANISM_TYPE mechanism;
    Bytes parameters;  // the parameter structure; it holds no pointer that is used later
    CK_ULONG key;
  };
  struct Session {
    std::size_t slot = 0;
    bool read_write = false;
    bool removed = false;
    std::optional<std::vector<CK_OBJECT_HANDLE>> search;
    std::optional<Operation> sign;
    bool authenticated = false;  // the user has given the PIN for the signature that was begun
  };
  enum class LoginState { kNobody, kUser, kSecurityOfficer };
  // A session that a call was given, and the slot it is on.
  struct Place {
    Session* session;
    FakeSlot* slot;
  };

  CK_RV FindSlot(CK_SLOT_ID id, FakeSlot** slot, bool token_needed);
  CK_RV FindSession(CK_SESSION_HANDLE handle, Place* place);
  bool HasSessions(std::size_t slot, bool read_only_ones) const;
  LoginState& login(std::size_t slot) { return logins_[slot]; }
  CK_RV CheckPin(FakeSlot& slot, CK_USER_TYPE user, ByteView pin);

  CK_OBJECT_HANDLE HandleOf(CK_ULONG number) const { return device_->initialisations * 1'000'000UL + number; }
  // Only objects that the session may see are found.
  FakeObject* FindObject(const Place& place, CK_OBJECT_HANDLE handle);
  std::optional<Bytes> ValueOf(const FakeSlot& slot, const FakeObject& object, CK_ATTRIBUTE_TYPE type) const;
  bool IsSensitive(const FakeObject& object, CK_ATTRIBUTE_TYPE type) const;
  CK_RV CheckMayMake(const Place& place, const Attributes& attributes) const;
  CK_RV HasRoom(const FakeSlot& slot, std::size_t count) const;
  CK_OBJECT_HANDLE Add(const Place& place, CK_SESSION_HANDLE session, FakeObject object);

  // Checks a template against the table of attributes and adds the defaults.
  enum class Origin : unsigned { kGenerate = 1, kCreate = 2, kUnwrap = 4, kChange = 8, kDerive = 16 };
  CK_RV ReadTemplate(const Place& place, Origin origin, CK_OBJECT_CLASS object_class, const CK_ATTRIBUTE* attributes,
                     CK_ULONG count, Attributes* out) const;
  void AddDefaults(CK_OBJECT_CLASS object_class, Attributes* attributes) const;
  void MarkGenerated(const FakeSlot& slot, CK_MECHANISM_TYPE mechanism, Attributes* attributes) const;
  void MarkImported(const FakeSlot& slot, Attributes* attributes) const;

  CK_RV CheckMechanism(const FakeSlot& slot, const CK_MECHANISM* mechanism) const;
  CK_RV FindKey(const Place& place, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE_TYPE permission, CK_RV not_found,
                FakeObject** key);
  CK_RV MakeSignature(FakeSlot& slot, const Operation& operation, const crypto::Key& key, ByteView data, Bytes* out);
  void SpoilSignature(FakeSlot& slot, const crypto::Key& key, Bytes* signature) const;
  CK_RV TearKeyPair(const Place& place, FakeObject public_object, FakeObject private_object);

  std::shared_ptr<FakeDevice> device_;
  bool initialised_ = false;
  std::map<CK_SESSION_HANDLE, Session> sessions_;
  std::map<std::size_t, LoginState> logins_;
  std::map<CK_ULONG, std::pair<std::size_t, FakeObject>> session_objects_;  // number -> slot index, object
  CK_SESSION_HANDLE next_session_ = 1;
};

}  // namespace support

#endif  // TESTS_SUPPORT_FAKE_TOKEN_H_
