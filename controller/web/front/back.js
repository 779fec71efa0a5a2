// The page that is shown while the station is away: looks now and then, and goes on where one was when it answers.

const EVERY_MS = 5000;

async function look() {
  try {
    const answer = await fetch("/suc-khoe", { cache: "no-store" });
    if (answer.ok) location.replace(location.pathname === "/ngoai-tuyen" ? "/" : location.href);
  } catch { /* still away */ }
}

addEventListener("online", look);
setInterval(look, EVERY_MS);
