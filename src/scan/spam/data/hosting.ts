/**
 * Where anybody puts up a page, a form or a file within minutes, under a name of somebody else. `PAGES`: sites, forms and
 * tunnels; `FILES`: shared files. Used beside the private part of the public suffix list.
 *
 * Source: sublime-security/static-files @ eb76f5269e96, MIT (Copyright 2020 Sublime Security, Inc.; see NOTICE.md here):
 * free_subdomain_hosts, self_service_creation_platform_domains, social_landing_hosts and free_file_hosts, without those that
 * much ordinary mail links to.
 */
const hosts = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

export const PAGES = hosts(`
  000webhost.com 000webhostapp.com 18.lc 1x.net 2.ag 2.je 24.lc 3d.lc 4.je 6.je 7.je 8.je 9.je about.lc
  ac-page.com acrobat.adobe.com addevent.com ae.tn afraid.org aidaform.com all.lc allmylinks.com amplifyapp.com
  anschauen.in anygen.io api.docparser.com app.air.inc app.amplitude.com app.contractbook.com app.droplet.io
  app.eraser.io app.filestage.io app.flutterflow.io app.freelo.io app.fynk.com app.getalai.com app.hex.tech
  app.howdygo.com app.kuse.ai app.ludus.one app.moqups.com app.mural.co app.neuroflash.com app.publr.co
  app.slidebean.com app.smartsheet.com app.smartsuite.com app.superlist.com app.tabidoo.cloud app.upbase.io
  app.usewhale.io app.whirr.co appdomain.cloud appsheet.com appspot.com appwrite.network archbee.com arweave.net
  asia.gp at.st authory.com auto.lc avion.io aw3.de awsapprunner.com axshare.com azurefd.net azurewebsites.net
  b2b.lc base44.app bd.tn beacons.ai beautiful.ai bento.me berlin.tl bilder.lc bio.box bio.fm bio.site
  biolinky.co biz.ps biz.uz blog.lc blogspot.ai blogspot.com breely.com bubbleapps.io buildin.ai bunny.run
  cal.com campsite.bio canny.io canva.com canva.site carrd.io center.tl ch.st chat.dj chickenkiller.com city.tl
  ciy.de cl4n.org clan.lc clan.mn clandomain.de clandomain.org clickfunnels.com cloudapp.net cloudclusters.net
  cloudwaysapps.com cloudworkstations.dev club.lc cn.nf co.gp coda.grammarly.com coda.io codesandbox.io
  cognitoforms.com com.nu community.lc contact.kaktusapp.com contactinbio.com cool.hn cool.lc copyfol.io
  creatium.site creatorlink.net cs-clan.org csb.app curipod.com da.cx dash.formaloo.com de.gp de.im de.ki de.pl
  deno.dev design.tl deta.dev devtunnels.ms digitaloceanspaces.com doc.clickup.com document360.io doksly.com
  domain.lc download.ac download.sh dpdns.org dr.ag dropmark.com duckdns.org durable.site dvd.lc dyndns.dk
  easysend.app easywp.com eb-sites.com edgeone.app edgeone.dev ee.tn elementor.cloud elink.io english.lc
  enhancedsitebuilder.com es.cx es.gp esel.in eu.gg eu.gp eu.ki eu.nu eur.lc euro.lc europa.lc evenium.events
  eventcreate.com events.ticketleap.com featurebase.app featureos.app feedlink.io fif.li figma.site
  filecloudonline.com filme.lc firebaseapp.com firm.nu fk.gs flipsnack.com flirt.lc flirten.info flowpaper.com
  flutterflow.app fly.dev forms.clickup.com forms.cloud.microsoft forms.visme.co forms.weavely.ai
  forms.zohopublic.com formstack.com forum.lc fotos.lc fr.gp frame.io framer.app framer.media framer.website
  free.lc freesubdomain.org fun.gg fyi.to game.lc gaming.lc gamma.app getoutline.com ghost.io giize.com github.io
  glide.in glide.page glitch.me godaddysites.com gooey.ai gr.tn gratis.lc guest.de hase.in heightsplatform.com
  herokuapp.com hexe.in heyflow.site hk.tn home.lc homepage.cx homepage.lc hoo.be hopp.bio hoster-test.ru
  hostingerapp.com hot.lc hp.lc hund.in hype.co icefactory.cl id.vg ignorelist.com infinityfree.com info.nu
  infos.cx infos.lc inmotionhosting.com instawp.xyz int.ps intakeq.com ipfs.dweb.link ipfs.io ir.tn isu.pub it.gp
  jensi.io jimdofree.com jimdosite.com jixx.de jixx.net jotform.com jp.tn jumpingcrab.com k1.cx kinsta.cloud
  kinsta.page klasio.com koji.to komi.ai kr.tn kr3w.de landbot.site larksuite.com lex.page liebe.lc
  lighthouse.storage link.gallery linkin.bio linkinprofile.com linkpilot.co linkpop.com linktr.ee lnk.bio
  lovable.app lovable.dev lucid.app m.vu ma.tn milkshake.app miricanvas.com mjt.lu mobi.ps mockbin.org
  mockflow.com mocky.io mp3.gp mtrbio.com musik.cx musik.lc my.vg mybluehost.me mybluemix.net myninja.ai
  myportfolio.com mypreview.site myqcloud.com mystrikingly.com name.ac name.vu netlify.app netz.tl ng.tn ngrok.io
  nimbusweb.me nip.io nl.gp nl.tn notion.site now.lc now.sh npx.de on-fleek.app on.aws on.lc ondigitalocean.app
  onepage.me online.gp onlyoffice.com onlytap.io onrender.com onthewifi.com orbitor.dev padlet.com pagecloud.com
  pagedeck.app pagedemo.co pages.dev pal.bio pallyy.com papershift.com party.lc payhip.com pc.lc ph.tn photos.lc
  pillar.io pk.tn pl.tn planet.tl portal.lc powerappsportals.com powr.io privat.lc pro.ac pro.vg proposify.com
  public.app.basecamp.com publuu.com pythonanywhere.com qu.am r2.dev railway.app repl.co replit.app replug.link
  retool.com rf.gd riddle.com ro.tn run.app sa.tn scalableplatforms.de scribe.com scribehow.com scw.cloud se.nf
  search.gp seesaw.me seite.com seite.info seite.ru server.gg server.tl service.lc sg.tn share.articulate.com
  share.lc shopping.hn shor.by shorby.com sign.com sign.zoho.com simple.ink sites.google.com sitesplaced.site
  sitew.us sked.social slab.com sleekplan.app softr.app solo.to soloist.ai somee.com space.lc splashthat.com
  square.site stan.store start.lc start.page static.hf.space storydoc.com studio.site sufybkt.com superprofile.me
  supporthero.io surge.sh surveymars.com sxyz.xyz synology.me systeme.io tana.pub tap.bio taplink.at taplink.cc
  taskade.com te4m.de team.cx team.tl temporary.site test.lc th.tn theleap.co tithelysetup.com top.lc top8.com
  tplshare.com tr.tn translate.goog translate.google.com trycloudflare.com turkish.lc tv.gg twilightparadox.com
  typedream.app typeform.com uk.tn up.railway.app upresenter.ai urlaub.lc us.gg us.nf usa.gg user.lc userback.io
  vercel.app vercel.dev vershun.io view.genially.com vistasocial.com vn.tn voten.in vz.lc wasabisys.com
  wasmer.app weavely.ai web.app web.gg web.val.run webcindario.com webflow.io webhook.site website.tk weebly.com
  welt.tl wiki.lc wisery.io wixsite.com wixstudio.com workers.dev workflowy.com world.mu wpdevcloud.com wufoo.com
  x.gg xl.lc xx.lc xxl.lc yayforms.link ydns.eu yj.ae you.lc za.tn zapier.app zapto.org zeabur.app
  zoholandingpage.com zohopublic.com zx9.de
`)

export const FILES = hosts(`
  0x0.st 1drv.com 1drv.ms 1fichier.com 4shared.com adrive.com alwaysdata.net app.getresponse.com app.jotform.com
  app.milanote.com app.powerbi.com app.wishloop.com archive.ph ardrive.net assets.cdn.filesafe.space
  attachment.outlook.live.net aurorashard.org azurestaticapps.net backblazeb2.com blob.core.windows.net box.com
  bunkr.site catbox.moe cdn.discordapp.com cdn.filestackcontent.com cheapwebsites.biz claude.site
  clicknupload.com cloudflarestorage.com cloudup.com contabostorage.com cryptpad.fr customer-oci.com
  customervoice.microsoft.com d.pr dailyuploads.net datafilehost.com depositfiles.com docs.google.com
  down.mdiaload.com drime.cloud drive.google.com drive.proton.me drop.download dropbox.com dropmefiles.com
  dropsend.com ecv.microsoft.com egnyte.com elephantdrive.com eu.jotform.com file.io filebin.net filedropper.com
  filefactory.com fileflyer.com filehosting.org filemail.com files.catbox.moe files.delivrto.me files.fm
  filestackcontent.com filetransfer.io firebasehostingproxy.page.link firebasestorage.googleapis.com fireload.com
  form.jotform.com forms.office.com fromsmash.com getfoureyes.com gofile.io graph.org hidrive.ionos.com
  hightail.com hmstorage.net hstn.me html.cafe icedrive.net iceiy.com image2url.com indd.adobe.com jottacloud.com
  jumpshare.com kiwi6.com koofr.eu koofr.net krakenfiles.com layerstackobjects.com limewire.com
  link.storjshare.io linodeobjects.com litterbox.catbox.moe livedrive.com mediafire.com mega.nz
  megafileupload.com megaup.net mixdrop.ag mochausercontent.com my.visme.co ncv.microsoft.com nethunt.com
  new.express.adobe.com notion.so od.lk onedrive.live.com onehub.com onenoteonlinesync.onenote.com
  oortstorages.com page-preview.instapage.com pastelink.net pcloud.com pixeldrain.com raw.githubusercontent.com
  sabercathost.com script.google.com send-anywhere.com sendelephant.com sendgb.com sendspace.com
  share.hsforms.com sharepoint.com siasky.net solidfiles.com spark.adobe.com stonly.com storage.cloud.google.com
  storage.googleapis.com sugarsync.com supabase.co sway.cloud.microsoft sway.office.com sync.com telegra.ph
  teletype.in temp.sh terabox.com tiiny.site tilda.ws tinyupload.com transfer.sh transfergb.com transfernow.net
  transferxl.com ufile.io unaux.com uploaded.net uploadfiles.io uplooder.net uschovna.cz view.storydoc.com
  viewer.joomag.com vikingfile.com vultrobjects.com we.tl webmail-oxcs.register.com wetransfer.com wikisend.com
  xara.com zippyshare.com
`)
