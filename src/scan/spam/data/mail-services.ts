/**
 * Services that send mail for others in bulk or by program, by the domains of their return paths, signatures and servers, as
 * they document them. They know their customers, ask for consent and end accounts that are complained about; what comes
 * through them is seldom snow-shoe spam, though often phishing from a stolen account.
 */
export const MAIL_SERVICES: ReadonlySet<string> = new Set(
  `
  sendgrid.net sendgrid.com twilio.com mailgun.org mailgun.net mailgun.com sparkpostmail.com sparkpost.com
  exacttarget.com exct.net s10.exacttarget.com salesforce.com emarsys.net emsmtp.us emsmtp.com mcsv.net mcdlv.net
  rsgsv.net mailchimpapp.net mandrillapp.com klaviyomail.com amazonses.com ccsend.com constantcontact.com rs6.net
  mtasv.net postmarkapp.com mailjet.com mailjet.net sendinblue.com brevosend.com brevo.com sendibt1.com sendibt2.com
  sendibt3.com marketo.org mktomail.com mktroute.com hubspotemail.net hubspot.com hs-inbox.com rsys1.com rsys2.com
  rsys3.com rsys4.com rsys5.com responsys.net oraclecloud.com eloqua.com epsl1.com eccluster.com lstrk.net
  bluehornet.com acoustic-ms.com pstmrk.com silverpop.com mkt4477.com cheetahmail.com chtah.net customeriomail.com
  createsend.com cmail19.com cmail20.com getresponse.com getresponse-mail.com gr-mail.com aweber.com activehosted.com
  acems1.com acems2.com convertkit-mail.com convertkit-mail2.com kit-mail3.com beehiiv.com substack.com iterable.com
  braze.com appboy.com mailerlite.com mlsend.com mailersend.net mlsend2.com sailthru.com dotdigital-email.com
  dotmailer-email.com rapidmail.de cleverreach.com crsend.com inxmail.com inx1and1.de episerver.net optimizely.com
  artegic.net agnitas.de newsletter2go.com mailingwork.de xqueue.com srv2.de ecircle.com sendpulse.com unisender.com
  elasticemail.com smtp2go.com socketlabs.com zendesk.com freshdesk.com intercom-mail.com intercom.io docusign.net
  zcsend.net zohocampaigns.com maillist-manage.com zeptomail.com bmsend.com ongage.net omnisend.com
  messagebird.com bounceexchange.com listrakbi.com attentivemobile.com netcorecloud.net
  pepipost.com moengage.com clevertap.com insider-mail.com campaignmonitor.com mailup.com contactlab.com
  `
    .trim()
    .split(/\s+/),
)
