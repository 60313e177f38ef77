#include "ceremony/quorum/offline_share.h"

#include <fmt/format.h>

#include <utility>

#include "ceremony/quorum/offline.h"
#include "ceremony/quorum/share_request.h"
#include "ceremony/record/checkpoint.h"
#include "hsm/base/encoding.h"
#include "hsm/base/file.h"

namespace ceremony::quorum {
namespace {

constexpr std::size_t kMaxAnswer = 65536;

std::string FileName(const ShareRequest& request) {
  const auto parts = record::SplitOrigin(request.origin);
  return fmt::format("{}-{}-{}.share-request.json", parts.ok() ? parts->ceremony : "ceremony", request.share.token,
                     request.share.holder);
}

base::Result<ShareAnswer> AskAnswer(const script::Person& person, room::Terminal& terminal) {
  const room::Question question{
      .kind = room::Question::Kind::kText,
      .id = "share.elsewhere/answer/" + person.id,
      .person = person.name,
      .text = "Your answer: the path of the file that you bring back, or its one line, pasted or scanned.",
      .pattern = "[/{].*",
      .example = "/media/stick/root-2026-root-hsm-alice.share-answer.json"};
  KC_ASSIGN_OR_RETURN(HandedOver given, AskHandedOver(question, kMaxAnswer, terminal));
  script::LoadedFile file;
  file.name = given.path.empty() ? "the answer" : std::move(given.path);
  file.sha256 = base::Sha256Hex(given.bytes);
  file.bytes = std::move(given.bytes);
  return ParseShareAnswer(std::move(file));
}

}  // namespace

base::Result<std::vector<ShamirShare>> OpenElsewhere(const script::Person& person, const ShareUse& use,
                                                     room::Terminal& terminal) {
  if (!terminal.HasPeople()) {
    return NobodyThere(fmt::format("{} opens their share on a machine of their own", person.name));
  }
  if (!use.asked_elsewhere || !use.handed_over) {
    return base::MakeError(
        base::ErrorCode::kInternal,
        fmt::format("the share of {} is opened elsewhere, and no record would tell of it", person.name));
  }
  KC_ASSIGN_OR_RETURN(ShareHandOver hand_over, ShareHandOver::Begin(use.request));
  const std::string digest = base::HexEncode(hand_over.digest());
  KC_ASSIGN_OR_RETURN(
      const std::string folder,
      AskForFolder(person, "share.elsewhere/folder",
                   "You open your share on a machine of your own. In which folder of your stick shall the request be "
                   "written?",
                   OrHere::kNo, terminal));
  KC_ASSIGN_OR_RETURN(RecordProof proof, use.asked_elsewhere(digest));
  hand_over.SetProof(std::move(proof));
  KC_ASSIGN_OR_RETURN(const std::string text, WriteShareRequest(hand_over.request()));
  const std::string path = folder + "/" + FileName(hand_over.request());
  if (auto written = base::WriteFile(path, text, {.replace = true}); !written.ok())
    return OfStick(std::move(written).error());
  terminal.Say(
      room::Tone::kGood,
      fmt::format("Written: {}, for `keyceremony custodian open-share` on your machine. It serves once.", path));
  terminal.ShowDigest("this request: your machine must show the same words", hand_over.digest());
  KC_ASSIGN_OR_RETURN(const ShareAnswer answer, AskAnswer(person, terminal));
  KC_ASSIGN_OR_RETURN(std::vector<ShamirShare> shares, hand_over.Take(answer));
  KC_RETURN_IF_ERROR(use.handed_over(digest));
  terminal.Say(room::Tone::kGood, fmt::format("{} has handed the share over.", person.name));
  return shares;
}

}  // namespace ceremony::quorum
