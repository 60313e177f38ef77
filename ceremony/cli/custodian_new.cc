#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

#include "ceremony/cli/custodian.h"
#include "ceremony/cli/exit_code.h"
#include "ceremony/quorum/card.h"
#include "ceremony/quorum/key_file.h"
#include "ceremony/quorum/software_agreement_key.h"
#include "ceremony/record/checkpoint.h"
#include "ceremony/record/software_signer.h"
#include "ceremony/room/signals.h"
#include "ceremony/room/tty_device.h"
#include "ceremony/room/tty_terminal.h"
#include "ceremony/script/person_file.h"
#include "hsm/base/digest.h"
#include "hsm/base/encoding.h"
#include "hsm/base/file.h"
#include "hsm/base/random.h"
#include "hsm/keygen.h"
#include "hsm/sign.h"

namespace ceremony::cli {
namespace {

struct Arguments {
  std::string estate;
  std::string id;
  std::string name;
  std::string out;
  CardArguments card;
};

// The keys as they are made: public halves, and the private ones where they go to files.
struct MadeKeys {
  std::string sign_key;
  std::string open_key;
  std::string sign_pem;
  std::string open_pem;
};

base::Result<MadeKeys> MakeInFiles(const Arguments& arguments, room::Terminal& terminal) {
  room::SecretQuestion question;
  question.id = "custodian.new/passphrase";
  question.person = arguments.name;
  question.text = fmt::format(
      "new passphrase for your credential: at least {} characters, best four words or more that nobody would guess",
      quorum::kMinPassphrase);
  question.min_length = quorum::kMinPassphrase;
  question.twice = true;
  KC_ASSIGN_OR_RETURN(const base::SecretBytes passphrase, terminal.AskSecret(question));
  KC_ASSIGN_OR_RETURN(const auto signer,
                      record::SoftwareSigner::Generate(record::PersonKeyName(arguments.estate, arguments.id),
                                                       record::SignatureType::kEcdsa));
  KC_ASSIGN_OR_RETURN(const auto opener, quorum::SoftwareAgreementKey::Generate());
  MadeKeys keys;
  keys.sign_key = base::Base64Encode(signer->key().public_key().spki());
  keys.open_key = base::Base64Encode(opener->public_key().spki());
  KC_ASSIGN_OR_RETURN(const base::SecretBytes sign_pkcs8, signer->Pkcs8());
  KC_ASSIGN_OR_RETURN(const base::SecretBytes open_pkcs8, opener->ToPkcs8());
  const auto busy = terminal.ShowBusy("Encrypting both keys");
  KC_ASSIGN_OR_RETURN(keys.sign_pem, quorum::EncryptKey(sign_pkcs8, passphrase));
  KC_ASSIGN_OR_RETURN(keys.open_pem, quorum::EncryptKey(open_pkcs8, passphrase));
  return keys;
}

// `on_card` gets the names of what is on the card now, also when this fails.
base::Result<hsm::KeyPair> MakeOnCard(hsm::Session& session, const std::string& label, hsm::KeyUsage usage,
                                      std::vector<std::string>& on_card) {
  hsm::KeyPairSpec spec;
  spec.algorithm = base::KeyAlgorithm::kEcP256;
  spec.label = label;
  spec.usage = usage;
  KC_ASSIGN_OR_RETURN(spec.id, base::HexDecode(base::RandomHex(16)));
  hsm::KeyGeneration made = hsm::GenerateKeyPair(session, spec);
  for (const hsm::Object& left : made.left_behind) on_card.push_back(left.Name());
  if (!made.key.ok()) return std::move(made.key).error();
  hsm::KeyPair pair = std::move(made.key).value().pair;
  if (pair.public_object) on_card.push_back(pair.public_object->Name());
  on_card.push_back(pair.private_object.Name());
  return pair;
}

base::Result<MadeKeys> MakeOnCard(const Arguments& arguments, room::Terminal& terminal,
                                  std::vector<std::string>& on_card) {
  const quorum::CardUse card{arguments.name, "to make your keys", "card.pin/" + arguments.id,
                             arguments.card.ToBinding()};
  MadeKeys keys;
  const auto make = [&](hsm::Session& session, const base::SecretBytes&) -> base::Result<void> {
    KC_ASSIGN_OR_RETURN(const hsm::KeyPair sign,
                        MakeOnCard(session, "keyceremony sign " + arguments.id, hsm::kSigningUsage, on_card));
    KC_ASSIGN_OR_RETURN(const hsm::KeyPair open,
                        MakeOnCard(session, "keyceremony open " + arguments.id, hsm::kDerivingUsage, on_card));
    // hsm::Sign verifies: a card that makes keys and cannot sign is found out here.
    KC_RETURN_IF_ERROR(hsm::Sign(session, sign, base::SignatureScheme::kEcdsa, base::AsBytes("keyceremony trial\n"),
                                 hsm::Consequence::kLogKey));
    keys.sign_key = base::Base64Encode(sign.public_key.spki());
    keys.open_key = base::Base64Encode(open.public_key.spki());
    return {};
  };
  KC_RETURN_IF_ERROR(quorum::WithCard(card, quorum::LoadCardAlone, terminal, make));
  return keys;
}

base::Result<void> CheckNothingThere(const std::string& folder) {
  for (const char* name : {kSignFile, kOpenFile, kPersonFile}) {
    const std::string path = folder + "/" + name;
    if (std::filesystem::exists(std::filesystem::symlink_status(path)))
      return base::Refusal("OUT-FILE-01", path + " exists already",
                           "a credential is never overwritten: name a new folder");
  }
  return {};
}

// A stick that is full or cannot be written is found out while nothing is lost by it.
base::Result<void> CheckCanWrite(const std::string& folder) {
  constexpr std::size_t kMoreThanAllFiles = 16384;
  const std::string trial = folder + "/" + kPersonFile + ".trial";
  base::Result<void> written = base::WriteFile(trial, std::string(kMoreThanAllFiles, ' '), {.replace = true});
  std::error_code none;
  std::filesystem::remove(trial, none);
  return written;
}

// MakeCredential writes the person file last, because it says that the credential is whole.
base::Result<MadeKeys> MakeCredential(const Arguments& arguments, room::Terminal& terminal,
                                      std::vector<std::string>& on_card) {
  const bool in_files = arguments.card.module.empty();
  KC_ASSIGN_OR_RETURN(MadeKeys keys,
                      in_files ? MakeInFiles(arguments, terminal) : MakeOnCard(arguments, terminal, on_card));
  const script::PersonFile person{arguments.estate, arguments.id, arguments.name, keys.sign_key, keys.open_key, {}};
  KC_ASSIGN_OR_RETURN(const std::string text, script::WritePersonFile(person));
  const std::string folder = arguments.out + "/";
  if (in_files) {
    KC_RETURN_IF_ERROR(base::WriteFile(folder + kSignFile, keys.sign_pem));
    KC_RETURN_IF_ERROR(base::WriteFile(folder + kOpenFile, keys.open_pem));
  }
  KC_RETURN_IF_ERROR(base::WriteFile(folder + kPersonFile, text));
  return keys;
}

// Keys on a card that nobody knows of would be taken for the ones in use, or fill it at the next try.
base::Error WithKeysLeft(base::Error error, const std::vector<std::string>& on_card) {
  if (on_card.empty()) return error;
  for (const std::string& key : on_card) error.message += "; the card now has " + key;
  if (!error.hint.empty()) error.hint += "; ";
  error.hint += "remove what is left on the card with its maker's tool, then try again";
  return error;
}

base::Result<void> ShowKey(room::Terminal& terminal, const std::string& label, const std::string& base64) {
  KC_ASSIGN_OR_RETURN(const base::Bytes spki, base::Base64Decode(base64));
  terminal.ShowDigest(label, base::Sha256Of(spki));
  return {};
}

base::Result<int> New(const Arguments& arguments, const Streams& streams) {
  const bool on_card = !arguments.card.module.empty();
  if (on_card && arguments.card.label.empty() && arguments.card.serial.empty())
    return base::MakeError(base::ErrorCode::kInvalidInput, "--card needs --label or --serial");
  if (!script::IdShape().Matches(arguments.id) || !script::IdShape().Matches(arguments.estate)) {
    return base::MakeError(base::ErrorCode::kInvalidInput,
                           fmt::format("expected ids for --estate and --id, found \"{}\" and \"{}\"", arguments.estate,
                                       arguments.id))
        .WithHint("an id begins with a letter or digit and has only a-z, 0-9, `.`, `_` and `-`");
  }
  KC_RETURN_IF_ERROR(room::TtyDevice::CheckThatPeopleCanType());
  KC_RETURN_IF_ERROR(CheckNothingThere(arguments.out));
  const room::SignalScope signals;
  hsm::IgnoreBrokenPipes();
  KC_ASSIGN_OR_RETURN(const std::unique_ptr<room::TtyTerminal> terminal, room::TtyTerminal::Open());
  if (mkdir(arguments.out.c_str(), 0700) != 0 && errno != EEXIST) {
    return base::SystemError("mkdir", arguments.out, errno)
        .WithHint("--out names a new folder in one that is there already");
  }
  KC_RETURN_IF_ERROR(CheckCanWrite(arguments.out));
  std::vector<std::string> keys_on_card;
  const base::Result<MadeKeys> keys = MakeCredential(arguments, *terminal, keys_on_card);
  if (!keys.ok()) return WithKeysLeft(keys.error(), keys_on_card);
  const std::string person = arguments.out + "/" + kPersonFile;
  terminal->Say(room::Tone::kGood, on_card ? "Both keys are made, and stay on your card."
                                           : "Both keys are made, and encrypted under your passphrase.");
  KC_RETURN_IF_ERROR(ShowKey(*terminal, "the key with which you approve (SHA-256)", keys->sign_key));
  KC_RETURN_IF_ERROR(ShowKey(*terminal, "the key that opens your shares (SHA-256)", keys->open_key));
  terminal->Say(
      room::Tone::kPlain,
      fmt::format("Hand in {}: it holds no secret. Read the words aloud when you are asked for them.", person));
  streams.out << person << '\n';
  return kExitDone;
}

}  // namespace

void AddCustodianNew(CLI::App& custodian, Action& chosen) {
  CLI::App* command = custodian.add_subcommand("new", "make the two keys of a custodian, in files or on a card");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--estate", arguments->estate, "the estate whose custodian you are")->required()->type_name("ID");
  command->add_option("--id", arguments->id, "your id in the roster")->required()->type_name("ID");
  command->add_option("--name", arguments->name, "your name")->required()->type_name("TEXT");
  command->add_option("--out", arguments->out, "where person.json goes, and the keys unless they are on a card")
      ->required()
      ->type_name("FOLDER");
  DescribeCard(*command, arguments->card);
  WhenChosen(*command, chosen, arguments, New);
}

}  // namespace ceremony::cli
